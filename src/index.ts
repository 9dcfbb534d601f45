// The front door: what `import 'stateloop'` gives. Nothing heavy loads with it: provider SDKs, prices and SQLite come
// with their first use.
export * from './agent/index.ts'
export { defineConfig } from './cli/index.ts'
export type { Config } from './cli/index.ts'
export { fakeClock, systemClock } from './clock/index.ts'
export type { Clock, FakeClock } from './clock/index.ts'
export { priceTable, reportCosts } from './cost/index.ts'
export type { Cost, CostDimension, CostGroup, CostOptions, CostReport, CostSums, LedgerStore, LimitDefinition, LimitScope, Rate, Price, PricePort, PriceTableOptions, Surprise, Usage } from './cost/index.ts'
export { FAILURE_CODES, FailureError, codeInfo, codesOf, fail, failure, failureOf, isFailure } from './failure/index.ts'
export type { CodesOf, DoorCode, EffectCode, Failure, FailureCode, FailureKind, Json } from './failure/index.ts'
export { memoryJournal, sqliteJournal } from './journal/index.ts'
export type { Cause, Entry, EntryBody, Journal, Outcome, RunFilter, RunRow, RunStatus, SqliteJournalOptions, Waiting } from './journal/index.ts'
export {
  bestSentences,
  classifyByKeywords,
  documentsIn,
  keywordRules,
  lastToolResults,
  lastUserText,
  offersTool,
  openai,
  replyCalls,
  replyFailure,
  replyOutput,
  replyRefusal,
  replyText,
  script,
  scripted,
} from './model/index.ts'
export type { ModelProvider, ModelReply, ModelRequest, OpenAiOptions, Rule, ScriptedOptions, ScriptedReply } from './model/index.ts'
export { definePrompt, loadPrompt, promptFromMarkdown, promptLock, textOf } from './prompt/index.ts'
export type { Content, Message, Part, Prompt, PromptAssignment, PromptChooser, PromptLock, PromptLockOptions, ToolCall } from './prompt/index.ts'
export { client, createRuntime, logRuns } from './run/index.ts'
export type {
  BudgetNotice,
  Call,
  Client,
  ClientOptions,
  Completion,
  CompletionRequest,
  ObservedRun,
  Observer,
  OutsideEvent,
  RecordOptions,
  ResumeOptions,
  RunEvent,
  RunObserver,
  RunHandle,
  RunLogger,
  RunOutcome,
  RunSummary,
  Runtime,
  RuntimeOptions,
  StartOptions,
} from './run/index.ts'
export { secret } from './schema/index.ts'
export { defineReranker, defineRetriever, defineTool, lexicalReranker, localIndex } from './tool/index.ts'
export type { Document, LocalIndexOptions, Reranker, Retriever, Services, Tool, ToolContext, ToolDefinition, ToolEffect } from './tool/index.ts'
