// The same promise as in cuts.slow.test.ts and splits.test.ts, over many more recordings: minutes, not seconds.
import { expect, test } from 'vitest'
import { ask, listening, rejection } from '../model/call.ts'
import { completeAt, memoryProvider, shortStreams } from './short-streams.ts'

const streams = shortStreams(6_000)

test.each(streams.map((recording) => [`${recording.file}:${recording.line}`, recording] as const))(
  '%s survives every cut and every split',
  async (_name, recording) => {
    const bytes = Buffer.from(recording.response.body)
    let mode: 'cut' | 'reset' | 'split' = 'split'
    let at = 0
    const provider = memoryProvider(recording, () => ({
      body: mode === 'split' ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes.subarray(0, at)],
      ending: mode === 'reset' ? 'reset' : 'end',
    }))
    const end = completeAt(recording)
    at = 1
    const whole = await provider.call(ask(), listening())
    for (; at < bytes.length; at++) {
      mode = 'split'
      expect(await provider.call(ask(), listening())).toEqual(whole)
      if (at < end) for (mode of ['cut', 'reset'] as const) expect((await rejection(provider.call(ask(), listening()))).failure.code).toBe('stream_truncated')
    }
  },
  600_000,
)
