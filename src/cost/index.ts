export { nanoOf, toUsd } from './usage.ts'
export type { Cost, Price, PricePort, Usage } from './usage.ts'
