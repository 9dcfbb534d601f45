// Elements made from plain values. Invariant: text becomes a text node and nothing else, and no attribute that could load or
// run anything is ever set, so what a model wrote cannot act.
import type { Shape } from './shapes.ts'

type Child = Node | string | undefined | false

interface Attributes {
  readonly class?: string
  readonly title?: string
  readonly type?: string
  readonly placeholder?: string
  readonly role?: string
  readonly label?: string
  readonly disabled?: boolean
  readonly data?: { readonly [name: string]: string }
  readonly on?: { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void }
}

const add = (parent: Element, children: readonly Child[]): void => {
  for (const child of children) if (child !== undefined && child !== false) parent.append(child)
}

/** An HTML element. */
export const el = <K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes, ...children: readonly Child[]): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag)
  const { class: name, title, type, placeholder, role, label, disabled, data = {}, on = {} } = attributes
  if (name !== undefined) element.className = name
  if (title !== undefined) element.title = title
  if (type !== undefined) element.setAttribute('type', type)
  if (placeholder !== undefined) element.setAttribute('placeholder', placeholder)
  if (role !== undefined) element.setAttribute('role', role)
  if (label !== undefined) element.setAttribute('aria-label', label)
  if (disabled === true) element.setAttribute('disabled', '')
  for (const [key, value] of Object.entries(data)) element.dataset[key] = value
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener as (event: Event) => void)
  add(element, children)
  return element
}

/** A path of states that may break after its dots, and nowhere else. */
export const pathText = (path: string): readonly Child[] => path.split('.').flatMap((name, index, all) => (index < all.length - 1 ? [`${name}.`, el('wbr', {})] : [name]))

const SVG = 'http://www.w3.org/2000/svg'

/** A shape as an SVG element. */
export const svgElement = ({ tag, attributes, text, children = [] }: Shape): SVGElement => {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  if (text !== undefined) element.append(text)
  element.append(...children.map(svgElement))
  return element
}

/** An empty SVG drawing area. */
export const svgRoot = (): SVGSVGElement => document.createElementNS(SVG, 'svg')

/** Puts other children in place of the ones an element has. */
export const fill = (parent: Element, ...children: readonly Child[]): void => {
  parent.replaceChildren()
  add(parent, children)
}
