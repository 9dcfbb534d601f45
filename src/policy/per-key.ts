// One instance of something per key (provider, model and address), made when first asked for. Invariant: beyond `max`
// instances only those in use stay; of the idle ones the longest unused goes first.

/** Instances by key. */
export interface PerKey<T> {
  /** The instance of a key; made when there is none. */
  of(key: string): T
  /** All instances, the longest unused first. */
  all(): readonly T[]
}

/** Makes a collection. @param isIdle true when forgetting the instance loses nothing. */
export const perKey = <T>(make: (key: string) => T, isIdle: (instance: T) => boolean, max = 1_000): PerKey<T> => {
  const instances = new Map<string, T>()
  const forgetIdle = (wanted: string): void => {
    for (const [key, instance] of instances) {
      if (instances.size <= max) return
      if (key !== wanted && isIdle(instance)) instances.delete(key)
    }
  }
  return {
    of(key) {
      const instance = instances.get(key) ?? make(key)
      instances.delete(key)
      instances.set(key, instance)
      if (instances.size > max) forgetIdle(key)
      return instance
    },
    all: () => [...instances.values()],
  }
}
