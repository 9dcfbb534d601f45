// How guards, saves and final outputs read messages: XState gives them a context and an event only, so whoever decides
// a transition says where threads are read from while it decides. Transitions are synchronous; nothing leaks between runs.
import type { Message } from '../prompt/index.ts'

/** Messages of a thread, by state path or thread name; empty when there is none. */
export type ReadThread = (thread: string) => readonly Message[]

const noMessages: ReadThread = () => []
let reader: ReadThread = noMessages

/** Decides something synchronously with `read` as the way to read threads. */
export const withThreads = <R>(read: ReadThread, decide: () => R): R => {
  const before = reader
  reader = read
  try {
    return decide()
  } finally {
    reader = before
  }
}

/** Messages of a thread, while a runtime decides; empty otherwise. */
export const threadMessages: ReadThread = (thread) => reader(thread)
