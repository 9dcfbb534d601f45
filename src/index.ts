// The front door: what `import 'stateloop'` gives. Nothing heavy loads with it: provider SDKs, prices and SQLite come
// with their first use.
export {
  agent,
  calledTools,
  failedWith,
  fromAgent,
  fromApproval,
  fromCode,
  fromDecide,
  fromEach,
  fromHuman,
  fromModel,
  fromReranker,
  fromRetriever,
  fromTool,
  fromTools,
  fromWait,
  machineAgent,
  setupAgent,
} from './agent/index.ts'
export type {
  Agent,
  AgentSetup,
  AnyAgent,
  Builder,
  Callback,
  CallbackArgs,
  CodeContext,
  EffectSource,
  EventsOf,
  FromCode,
  FromDecide,
  FromModel,
  InputOf,
  KeyedCalls,
  KeyedReply,
  Limits,
  MachineAgent,
  Migration,
  ModelDefinition,
  ModelName,
  ModelOutput,
  Models,
  OneShot,
  OutputOf,
  RunView,
  SourceArgs,
  State,
  StateKind,
  ThreadView,
} from './agent/index.ts'
export { defineConfig } from './cli/index.ts'
export type { Config } from './cli/index.ts'
export { fakeClock, systemClock } from './clock/index.ts'
export type { Clock, FakeClock } from './clock/index.ts'
export { priceTable, reportCosts } from './cost/index.ts'
export type { Cost, CostDimension, CostGroup, CostOptions, CostReport, CostSums, LedgerStore, LimitDefinition, LimitScope, Rate, Price, PricePort, PriceTableOptions, Surprise, Usage } from './cost/index.ts'
export { FAILURE_CODES, FailureError, codeInfo, codesOf, fail, failure, failureOf, isFailure } from './failure/index.ts'
export type { CodeInfo, CodesOf, DoorCode, EffectCode, Failure, FailureCause, FailureCode, FailureKind, FailureOptions, Json, ProviderDetails } from './failure/index.ts'
export { memoryJournal, sqliteJournal } from './journal/index.ts'
export type { Cause, Entry, EntryBody, Journal, Lease, Outcome, RunFilter, RunRow, RunStatus, SqliteJournalOptions, StateValue, Waiting } from './journal/index.ts'
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
export type {
  ModelDelta,
  ModelIo,
  ModelParams,
  ModelProvider,
  ModelReply,
  ModelRequest,
  OpenAiOptions,
  RateLimits,
  Rule,
  RuleContext,
  Script,
  ScriptedCall,
  ScriptedOptions,
  ScriptedReply,
  ToolSchema,
  Turn,
} from './model/index.ts'
export { definePrompt, loadPrompt, promptFromMarkdown, promptLock, textOf } from './prompt/index.ts'
export type { Content, Message, Part, PartData, Prompt, PromptAssignment, PromptChooser, PromptDefinition, PromptLock, PromptLockOptions, PromptMessage, ToolCall } from './prompt/index.ts'
export { client, createRuntime, logRuns } from './run/index.ts'
export type {
  BudgetNotice,
  Call,
  Client,
  ClientOptions,
  Completion,
  CompletionRequest,
  DriveOptions,
  DriveResult,
  EnqueueOptions,
  ObservedRun,
  Observer,
  OutsideEvent,
  PolicyView,
  RecordOptions,
  ResumeOptions,
  RunEvent,
  RunHandle,
  RunLogger,
  RunObserver,
  RunOutcome,
  RunSummary,
  Runtime,
  RuntimeOptions,
  StartOptions,
} from './run/index.ts'
export type { BreakerPolicy, CachePolicy, LimiterPolicy, RetryPolicy, TimeoutPolicy } from './policy/index.ts'
export { secret } from './schema/index.ts'
export type { Infer, JsonSchema, Schema } from './schema/index.ts'
export { defineReranker, defineRetriever, defineTool, lexicalReranker, localIndex } from './tool/index.ts'
export type { Document, InnerModelCall, LocalIndexOptions, LocalIndexSource, Reranker, Retriever, Services, Tool, ToolContext, ToolDefinition, ToolEffect } from './tool/index.ts'
