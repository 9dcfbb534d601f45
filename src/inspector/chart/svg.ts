// A drawing as one self-contained SVG file, light or dark by the reader's setting. Invariant: no text of the machine can
// become markup.
import type { Drawing } from '../page/drawing.ts'
import { shapesOf, type Shape } from '../page/shapes.ts'
import { CHART_RULES, themes } from './style.ts'

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Characters that XML 1.0 cannot hold. @see https://www.w3.org/TR/xml/#charsets */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

const escape = (text: string): string => text.replaceAll(NOT_XML, '\uFFFD').replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

const markup = ({ tag, attributes, text, children = [] }: Shape): string =>
  `<${tag}${Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join('')}>${text === undefined ? '' : escape(text)}${children.map(markup).join('')}</${tag}>`

/** The file's text. */
export const svgOf = (drawing: Drawing): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="${drawing.width}" height="${drawing.height}" viewBox="0 0 ${drawing.width} ${drawing.height}" role="img" aria-label="${escape(`Statechart of ${drawing.id}`)}"><style>${themes('.chart')}${CHART_RULES}</style>${shapesOf(drawing).map(markup).join('\n')}</svg>\n`
