// A statechart with a place for everything: what layout gives, what the page and SVG files draw. Plain JSON.

/** A point, in pixels from the drawing's upper left corner. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A rectangle. */
export interface Box extends Point {
  readonly width: number
  readonly height: number
}

/** A state. */
export interface DrawnState extends Box {
  /** Path with dots; empty for the machine itself. */
  readonly path: string
  readonly name: string
  /** Kind of state: `model`, `tools`, `group` … */
  readonly kind: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  /** Second line: what the state calls. */
  readonly detail: string
  /** For final states: how the run ends there. */
  readonly outcome?: string
  /** True for a state with states inside. */
  readonly group: boolean
  /** True for a region of a parallel state. */
  readonly region: boolean
  /** Where all other failures lead: drawn as a mark instead of an edge. */
  readonly caught?: { readonly target: string; readonly codes: string; readonly edges: readonly string[] }
  /** Events that are taken without leaving. */
  readonly inside?: readonly string[]
  readonly description?: string
}

/** Transitions between two states, drawn as one line. */
export interface DrawnEdge {
  /** Ids of the transitions in the machine's graph. */
  readonly ids: readonly string[]
  readonly source: string
  readonly target: string
  readonly cause: 'done' | 'failure' | 'event' | 'always' | 'timer' | 'complete' | 'initial'
  readonly text: string
  readonly label?: Box
  readonly lines: readonly (readonly Point[])[]
}

/** A machine, laid out. States come before the states inside them. */
export interface Drawing {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly states: readonly DrawnState[]
  readonly edges: readonly DrawnEdge[]
}
