// The colours and lines of a statechart, for the page and for SVG files alike. Every colour is a variable, so that light
// and dark differ in one place.

/** Light colours. */
const LIGHT = `--paper:#fff;--group:#f6f7fb;--ink:#1b1f2a;--soft:#667085;--line:#8a94a6;--edge-label:#fff;
--model:#5b4bdb;--tool:#0b8577;--lookup:#1d6fd8;--person:#c02673;--fallback:#b45f06;--child:#8a3ffc;--code:#4a5568;--plain:#667085;--done:#13804b;--failed:#c8322b;--limited:#b45f06`

/** Dark colours. */
const DARK = `--paper:#161a23;--group:#1b202b;--ink:#e8ebf2;--soft:#98a2b5;--line:#6d788d;--edge-label:#11151d;
--model:#a29bff;--tool:#41cdb9;--lookup:#6fb1ff;--person:#ff7fbb;--fallback:#ffb35c;--child:#c39bff;--code:#b3bdcc;--plain:#98a2b5;--done:#4fd08b;--failed:#ff7a70;--limited:#ffb35c`

const FAMILIES = ['model', 'tool', 'lookup', 'person', 'fallback', 'child', 'code', 'plain']

/** Rules for the shapes of a chart; they need the variables of a theme. */
export const CHART_RULES = `
.chart{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.chart .state{--of:var(--plain)}
${FAMILIES.map((family) => `.chart .family-${family}{--of:var(--${family})}`).join('')}
.chart .ends-done{--of:var(--done)}.chart .ends-failed{--of:var(--failed)}.chart .ends-limited{--of:var(--limited)}
.chart .outline{fill:var(--paper);stroke:var(--of);stroke-width:1.6}
.chart .shadow{fill:var(--paper);stroke:var(--of);stroke-width:1;opacity:.6}
.chart .inner{fill:none;stroke:var(--of);stroke-width:1;opacity:.55}
.chart .group>.outline{fill:var(--group);stroke:var(--line);stroke-width:1.2}
.chart .group:not(.family-plain)>.outline{stroke:var(--of)}
.chart .region>.outline{stroke-dasharray:7 5}
.chart .name{font-size:13px;font-weight:600;fill:var(--ink)}
.chart .detail{font-size:11px;fill:var(--of)}
.chart .mark circle{fill:var(--failed);stroke:var(--paper);stroke-width:1.5}.chart .mark path{stroke:var(--paper);stroke-width:1.8;fill:none}
.chart .edge,.chart .label{--of:var(--line)}.chart .cause-failure{--of:var(--failed)}.chart .cause-timer{--of:var(--fallback)}.chart .cause-event{--of:var(--person)}
.chart .line{fill:none;stroke:var(--of);stroke-width:1.5}
.chart .head,.chart .dot{fill:var(--of)}
.chart .cause-failure .line,.chart .cause-timer .line{stroke-dasharray:6 4}
.chart .label rect{fill:var(--edge-label);stroke:var(--of);stroke-opacity:.35}
.chart .event{font-size:10.5px;fill:var(--soft)}.chart .cause-failure .event{fill:var(--failed)}.chart .cause-event .event{fill:var(--person)}
`

/** Both themes, by the reader's setting, for elements that match a selector. */
export const themes = (selector: string): string => `${selector}{${LIGHT}}@media (prefers-color-scheme:dark){${selector}{${DARK}}}`

/** The themes by `data-theme` on the document, for a page that lets the reader choose. */
export const chosenThemes = (): string => `:root[data-theme=light]{${LIGHT}}:root[data-theme=dark]{${DARK}}`
