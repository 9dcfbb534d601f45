// An agent's machine in each format that other tools read. One function per format, so that a command and a program that
// imports `stateloop/inspector` write the same.
import { graphOf, type Agent } from '../../agent/index.ts'
import { chartOf } from '../chart/chart.ts'
import { layout } from '../chart/layout.ts'
import { svgOf } from '../chart/svg.ts'
import { mermaidOf } from './mermaid.ts'
import { statelyOf } from './stately.ts'

/** A literal `createMachine()` call, for Stately Studio. */
export const exportStately = ({ machine }: Agent): string => statelyOf(machine)

/** A Mermaid state diagram, for a README on GitHub. */
export const exportMermaid = ({ machine }: Agent): string => `${mermaidOf(chartOf(machine))}\n`

/** A self-contained SVG file, light or dark by the reader's setting. */
export const exportSvg = async ({ machine }: Agent): Promise<string> => svgOf(await layout(chartOf(machine)))

/** States and transitions as JSON, in the author's order. */
export const exportJson = ({ id, version, hash, machine }: Agent): string => `${JSON.stringify({ agent: id, ...(version === undefined ? {} : { version }), hash, ...graphOf(machine) }, null, 2)}\n`
