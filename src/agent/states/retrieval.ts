// `t.retrieve` finds documents; `t.rerank` orders them by how well they answer.
import type { Document } from '../../tool/index.ts'
import { commonSpec, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import type { Next, NextTargets } from '../next.ts'
import type { OnError, Routes, RouteTargets } from '../routes.ts'
import type { FieldFor, SaveFunction } from '../save.ts'
import type { RerankSpec, RetrieveSpec } from '../spec.ts'
import type { State } from '../state.ts'
import type { Callback } from '../view.ts'
import { effectState, partOf } from './effect.ts'
import type { AttemptOptions, CacheOptions, Erased } from './options.ts'

/** A document as schemas describe it, where an optional field may also be undefined. */
export type DocumentLike = { readonly [F in keyof Document]: Document[F] | undefined } & Pick<Document, 'id' | 'text'>

interface FoundOptions<X extends Env, N> {
  /** A context field that accepts the documents, or a pure function to the fields that change. Default: nothing is saved. */
  readonly save?: FieldFor<X, Document[]> | SaveFunction<X, Document[]>
  /** Where the run goes with the documents. */
  readonly onDone: N
}

/** The method `t.retrieve`. */
export type RetrieveMethod<X extends Env> = <const N extends Next<X, Document[]>, const E extends Routes<'retrieval'> = {}>(
  retriever: X['retrievers'],
  options: AttemptOptions &
    CacheOptions &
    FoundOptions<X, N> & {
      /** What to search for. Pure. */
      readonly query: (args: Args<X>) => string
      /** Most documents to find. Default 10. */
      readonly k?: number
    } & OnError<X, 'retrieval', E>,
) => State<'retrieve', NextTargets<N> | RouteTargets<E>>

/** The method `t.rerank`. */
export type RerankMethod<X extends Env> = <const N extends Next<X, Document[]>, const E extends Routes<'retrieval'> = {}>(
  reranker: X['rerankers'],
  options: AttemptOptions &
    CacheOptions &
    FoundOptions<X, N> & {
      /** What the documents should answer. Pure. */
      readonly query: (args: Args<X>) => string
      /** The documents to order; undefined is none. Pure. */
      readonly documents: (args: Args<X>) => readonly DocumentLike[] | undefined
      /** How many of the best to keep. Default 3. */
      readonly k?: number
    } & OnError<X, 'retrieval', E>,
) => State<'rerank', NextTargets<N> | RouteTargets<E>>

interface RetrievalOptions extends Erased {
  readonly name: string
  readonly query: unknown
  readonly documents?: unknown
  readonly k?: number
}

/** Compiles `t.retrieve`. */
export const compileRetrieve = (site: Site, options: RetrievalOptions): NodeConfig => {
  const retriever = partOf(site, 'retrievers', options.name)
  const spec: RetrieveSpec | undefined = retriever && {
    kind: 'retrieve',
    name: options.name,
    retriever,
    query: options.query as Callback<string>,
    k: options.k ?? 10,
    ...commonSpec({ ...options }),
  }
  return effectState(site, 'retrieve', spec, options)
}

/** Compiles `t.rerank`. */
export const compileRerank = (site: Site, options: RetrievalOptions): NodeConfig => {
  const reranker = partOf(site, 'rerankers', options.name)
  const documents = options.documents as Callback<readonly Document[] | undefined>
  const spec: RerankSpec | undefined = reranker && {
    kind: 'rerank',
    name: options.name,
    reranker,
    query: options.query as Callback<string>,
    documents: (args) => documents(args) ?? [],
    k: options.k ?? 3,
    ...commonSpec({ ...options }),
  }
  return effectState(site, 'rerank', spec, options)
}
