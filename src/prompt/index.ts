export { textOf } from './message.ts'
export type { Content, Message, Part, PartData, ToolCall } from './message.ts'
export type { Prompt, PromptMessage } from './prompt.ts'
