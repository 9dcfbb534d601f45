// The style of the HTML report. Invariant: it is readable in light and dark, on a phone and on paper.

/** Style sheet of the page. */
export const HTML_STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #1a7f37; --bad: #c62828; --warn: #9a6700; --accent: #1565c0; }
@media (prefers-color-scheme: dark) { :root { --good: #57ab5a; --bad: #f47067; --warn: #d4a72c; --accent: #6cb6ff; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.25rem; border-top: 1px solid var(--line); padding-top: 1.25rem } h3 { font-size: 1rem; margin-bottom: .4rem }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 } dt { font-size: .8rem; opacity: .7 } dd { margin: 0 }
@media (max-width: 40rem) { main { padding: .75rem } th, td { padding-right: .4rem; font-size: .85rem } .case th { width: 4.5rem } table { display: block; overflow-x: auto } }
small { opacity: .7 } .tag { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--soft) } th { font-weight: 600 }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace }
svg { max-width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
.label { text-anchor: end } .tick { text-anchor: middle; opacity: .7 } .grid { stroke: var(--line) }
.span { stroke: var(--accent); stroke-width: 2 } .now { fill: var(--accent) } .before { fill: none; stroke: currentColor; stroke-width: 1.5 }
.band { fill: var(--accent); opacity: .15 } .line { fill: none; stroke: var(--accent); stroke-width: 2 }
.verdict, .state { font-weight: 600 } .verdict.regressed, .state.failed { color: var(--bad) } .verdict.non_inferior, .state.passed { color: var(--good) }
.verdict.inconclusive, .verdict.infrastructure, .state.error { color: var(--warn) }
.case { border-bottom: 1px solid var(--soft); padding: .35rem 0 } .case th { width: 7rem } summary { cursor: pointer }
`
