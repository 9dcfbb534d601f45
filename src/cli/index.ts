export { defineConfig } from './config.ts'
export type { Config, Services } from './config.ts'
