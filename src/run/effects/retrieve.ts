// Retrieval and reranking: author-supplied search under a time limit, with results checked to be documents.
import type { RerankSpec, RetrieveSpec } from '../../agent/index.ts'
import { failure, failureOf, type Failure, type Json } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { Document, Reranker, Retriever, ToolContext } from '../../tool/index.ts'
import type { EffectContext, OpenEffect, RunningEffect, StepIo } from '../effect.ts'
import { attempts } from './attempts.ts'
import { throughCache } from '../call/cached.ts'
import { checkResult, outcomeOf, scopeOf, withCalls } from './perform-tool.ts'

/** Largest result of a retrieval, bytes of JSON. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024

const isDocuments = (value: unknown): value is readonly Document[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && typeof (item as Document).id === 'string' && typeof (item as Document).text === 'string')

const failedBy = (thrown: unknown, what: string): Failure => {
  const own = failureOf(thrown)
  if (own !== undefined && (own.code === 'timeout' || own.code === 'deadline_exceeded' || own.code === 'retrieval_failed')) return own
  return failure('retrieval_failed', `${what} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    cause: thrown,
    retryable: own?.retryable ?? true,
  })
}

/** One search to perform. */
export interface Search {
  readonly what: string
  readonly name: string
  readonly source: Pick<Retriever | Reranker, 'timeoutMs' | 'retry'>
  readonly args: Json
  /** What decides the result, for the cache. */
  readonly parts: Json
  readonly search: (context: ToolContext) => readonly Document[] | Promise<readonly Document[]>
}

/** Performs one search. */
export const performSearch = async ({ what, name, source, search }: Search, context: EffectContext, io: StepIo, suffix?: string): Promise<Outcome> => {
  const scope = scopeOf(context, name, io, suffix)
  const started = io.acting.clock.monotonic()
  try {
    const found = await withCalls(scope, source.timeoutMs, what, search)
    if (!isDocuments(found)) return outcomeOf(scope, started, { failure: failure('retrieval_failed', `${what} did not return a list of documents with an id and a text.`) })
    const checked = await checkResult(what, found, undefined, MAX_RESULT_BYTES, 'tool_failed')
    return outcomeOf(scope, started, 'value' in checked ? checked : { failure: failure('retrieval_failed', checked.failure.message) })
  } catch (thrown) {
    return outcomeOf(scope, started, { failure: failedBy(thrown, what) })
  }
}

const openSearch = (spec: RetrieveSpec | RerankSpec, context: EffectContext, search: Search): RunningEffect => {
  const call = attempts({
    context,
    suffix: '',
    about: 'other',
    name: search.name,
    args: search.args,
    safety: 'repeat',
    retry: spec.retry ?? search.source.retry,
    defaultAttempts: 2,
    timeout: spec.timeout,
    perform: (io) => {
      if (spec.cache === undefined) return performSearch(search, context, io)
      const call = { policy: spec.cache, parts: { agent: context.agent.id, kind: spec.kind, parts: search.parts }, run: context.run, isStorable: (found: Json) => Array.isArray(found) && found.length > 0 }
      return throughCache(call, io, (inner) => performSearch(search, context, inner))
    },
    done: (outcome) => {
      if (!outcome.ok) return context.fail(outcome.failure)
      const documents = outcome.value as unknown as readonly Document[]
      context.noteRepeat(
        search.name,
        search.args,
        documents.map((document) => document.id),
      )
      if (documents.length === 0) return context.fail(failure('no_results', `${search.what} found nothing. Rephrase the query, or route no_results to an answer without documents.`))
      context.complete(documents)
    },
  })
  call.begin()
  return { attempt: (_suffix, attempt, outcome) => call.settle(attempt, outcome), timer: () => call.wake() }
}

export const openRetrieve: OpenEffect<RetrieveSpec> = (spec, context) => {
  const query = spec.query(context.args())
  const { retriever, name, k } = spec
  return openSearch(spec, context, {
    what: `Retriever ${name}`,
    name,
    source: retriever,
    args: { query, k },
    parts: { name, version: retriever.version, query, k },
    search: (tool) => retriever.search({ query, k }, tool),
  })
}

export const openRerank: OpenEffect<RerankSpec> = (spec, context) => {
  const args = context.args()
  const query = spec.query(args)
  const documents = spec.documents(args)
  const { reranker, name, k } = spec
  return openSearch(spec, context, {
    what: `Reranker ${name}`,
    name,
    source: reranker,
    args: { query, k, documents: documents.map((document) => document.id) },
    parts: { name, version: reranker.version, query, k, documents: documents.map(({ id, text }) => [id, text]) },
    search: (tool) => reranker.rank({ query, documents, k }, tool),
  })
}
