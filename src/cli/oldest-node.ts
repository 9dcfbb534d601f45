// The oldest Node that runs this program. Invariant: this file imports nothing, so that an older Node can read it and say so.

/** The oldest version, as package.json says. */
export const OLDEST_NODE = '22.19.0'

/** What to say on a Node such as `20.20.2`; undefined when it is new enough. */
export const nodeProblem = (version: string): string | undefined => (version.localeCompare(OLDEST_NODE, 'en', { numeric: true }) < 0 ? `Node ${version} is too old. Install ${OLDEST_NODE} or later.` : undefined)
