export { defineConfig } from './config.ts'
export type { Config } from './config.ts'
