// Builds dist/ from src/: ESM for the oldest Node we support, one entry per public subpath plus the command line.
// Whatever is reached only through `import()` becomes a chunk of its own, so it costs nothing until it is used.
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/{eval/index,journal/postgres/index,replay/index,run/ai-sdk/index,server/index,testing/index,cli/main,trace/otel}.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  fixedExtension: false,
  tsconfig: 'tsconfig.build.json',
  dts: true,
  sourcemap: true,
})
