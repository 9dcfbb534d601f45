// A page to talk to the agents of a server: tokens as they come, the states a run passes, and questions to a person.
// Invariant: it is one document that loads nothing and runs nothing but its own script.
import { SCRIPT } from './script.ts'

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 18%, Canvas); --soft: color-mix(in srgb, CanvasText 6%, Canvas) }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; height: 100dvh; display: grid; grid-template-rows: auto 1fr }
header { display: flex; gap: 1rem; align-items: center; padding: .6rem 1rem; border-bottom: 1px solid var(--line) }
header h1 { font-size: 1rem; margin: 0 }
#chat { display: grid; grid-template-rows: auto 1fr auto; min-height: 0; width: 100%; max-width: 48rem; margin: 0 auto }
#chat[hidden], #door[hidden] { display: none }
#log { overflow-y: auto; padding: 1rem; display: flex; flex-direction: column; gap: .6rem }
article { padding: .6rem .9rem; border-radius: .8rem; max-width: 85%; white-space: pre-wrap; overflow-wrap: anywhere }
article:empty { display: none }
.user { align-self: end; background: #2563eb; color: #fff }
.agent { align-self: start; background: var(--soft) }
.path { margin: 0; display: flex; flex-wrap: wrap; gap: .3rem; font-size: .8rem }
.state { padding: 0 .5rem; border: 1px solid var(--line); border-radius: 1rem }
.state:last-child { background: #2563eb; border-color: #2563eb; color: #fff }
.state + .state::before { content: '' }
.card { border: 1px solid #d97706; border-radius: .8rem; padding: .8rem; align-self: start; max-width: 85% }
.card h2 { font-size: 1rem; margin: 0 0 .4rem }
pre { margin: 0 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem }
.note { margin: 0; font-size: .85rem; opacity: .75 }
form, .ask { display: flex; gap: .5rem; padding: .8rem 1rem; border-top: 1px solid var(--line) }
textarea, input { flex: 1; font: inherit; padding: .5rem; border: 1px solid var(--line); border-radius: .5rem; background: Canvas; color: CanvasText }
button, select { font: inherit; padding: .4rem .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--soft); color: CanvasText }
button.yes { background: #15803d; border-color: #15803d; color: #fff; margin-right: .5rem }
button:disabled { opacity: .5 }
#door { max-width: 30rem; margin: 4rem auto; padding: 0 1rem }
#door div { display: flex; gap: .5rem }
`

const BODY = `
<header><h1>Stateloop</h1><label>Agent <select id="agent"></select></label></header>
<main>
  <section id="door" hidden><p>This server asks for its token.</p><div><input id="token" type="password" aria-label="token" autocomplete="off"><button id="enter">Enter</button></div><p id="refused" role="alert"></p></section>
  <section id="chat" hidden><div></div><div id="log" role="log" aria-live="polite"></div><div class="ask"><textarea id="text" rows="2" aria-label="message"></textarea><button id="send">Send</button></div></section>
</main>`

/** The page as a response. @param nonce a fresh one for each request, which marks the page's own script and style. */
export const pageResponse = (nonce: string): Response => {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stateloop</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}main { min-height: 0; display: grid }</style>
<body>${BODY}
<script type="module" nonce="${nonce}">${SCRIPT}</script>
</body>
</html>`
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`
  return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' } })
}
