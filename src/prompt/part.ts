// The schema of message parts, so that a prompt can declare a variable that holds an image, a file or sound.
import { z } from 'zod'
import type { Part } from './message.ts'

const data = z.union([z.strictObject({ base64: z.string() }), z.strictObject({ url: z.string() }), z.strictObject({ blob: z.string() })])
const mediaType = z.string().optional()

/**
 * Accepts one part of message content. A template places it with `{{@name}}`.
 * @example definePrompt({ id: 'describe', vars: z.object({ photo: partSchema }), messages: 'What is this?\n{{@photo}}' })
 */
export const partSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), data, mediaType }),
  z.strictObject({ type: z.literal('audio'), data, mediaType }),
  z.strictObject({ type: z.literal('file'), data, mediaType, name: z.string().optional() }),
  // Absent fields are left out by JSON, so `undefined` never arrives where the type forbids it.
]) as unknown as z.ZodType<Part, Part>
