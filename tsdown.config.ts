// Builds dist/ from src/: ESM for the oldest Node we support, one entry per public subpath plus the command line.
// Whatever is reached only through `import()` becomes a chunk of its own, so it costs nothing until it is used.
// The inspector's page is one script for browsers, with its HTML and styles beside it.
import { defineConfig, type UserConfig } from 'tsdown'

const node: UserConfig = {
  entry: ['src/index.ts', 'src/{client/index,engine/index,eval/public/index,inspector/index,mcp/index,journal/postgres/index,replay/public/index,run/ai-sdk/index,server/index,testing/index,cli/main,trace/otel}.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  fixedExtension: false,
  tsconfig: 'tsconfig.build.json',
  dts: true,
  sourcemap: true,
}

const page: UserConfig = {
  entry: { 'inspector/page/main': 'src/inspector/page/main.ts' },
  copy: ['index.html', 'style.css', 'icon.svg'].map((name) => ({ from: `src/inspector/page/${name}`, to: 'dist/inspector/page' })),
  format: 'esm',
  platform: 'browser',
  target: ['chrome123', 'firefox121', 'safari17.4'],
  tsconfig: 'src/inspector/page/tsconfig.json',
  dts: false,
  clean: false,
  minify: true,
}

export default defineConfig([node, page])
