// Large values, kept once under their hash. Invariant: what is unpacked is what was packed, whatever keys the data has.
import type { Json } from '../failure/index.ts'
import { sha256 } from '../schema/index.ts'
import { isObject } from './data.ts'

const KEY = '$blob'

/** Data that happens to use our key gets one more `$`, so that it is never taken for a reference. */
const escaped = (key: string): string => (/^\$+blob$/.test(key) ? `$${key}` : key)
const unescaped = (key: string): string => (/^\$\$+blob$/.test(key) ? key.slice(1) : key)

const map = (value: Json, item: (value: Json) => Json, name: (key: string) => string): Json => {
  if (Array.isArray(value)) return value.map(item)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), item(inner)])) : value
}

/**
 * Replaces the large values inside a value by references; the outermost value always stays.
 * @param most longest JSON that stays in place, characters.
 * @param keep gets each large value with its hash.
 */
export const packLarge = (value: Json, most: number, keep: (hash: string, value: Json) => void): Json => {
  const whole = JSON.stringify(value)
  if (whole.length <= most && !whole.includes(KEY)) return value
  const inner = (item: Json): Json => {
    const packed = packLarge(item, most, keep)
    const text = JSON.stringify(packed)
    if (text.length <= most) return packed
    const hash = sha256(text)
    keep(hash, packed)
    return { [KEY]: hash }
  }
  return map(value, inner, escaped)
}

/** Puts large values back. @param find gives what was kept; throws when it is not there. */
export const unpackLarge = (value: Json, find: (hash: string) => Json): Json => {
  const reference = isObject(value) ? value[KEY] : undefined
  return typeof reference === 'string' ? unpackLarge(find(reference), find) : map(value, (item) => unpackLarge(item, find), unescaped)
}
