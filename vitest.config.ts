import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    {
      name: 'without source maps that lead nowhere',
      async load(id) {
        if (!/\/node_modules\/@actions\/.*\.js$/.test(id)) return null
        const code = await readFile(id, 'utf8')
        return code.replace(/^\/\/# sourceMappingURL=.*$/m, '')
      },
    },
  ],
  test: {
    include: [process.env.PROTIUM_E2E_TESTS ? 'test/e2e/*.e2e.ts' : 'test/**/*.test.ts'],
    reporters: ['default', './test/reporter.ts'],
    // GitHub's own readers of workflows import JSON as only a bundler takes it.
    server: { deps: { inline: [/\/@actions\/(?:expressions|languageservice|workflow-parser)\//] } },
    // A property test that meets a slow machine is slow, not wrong.
    testTimeout: process.env.PROTIUM_E2E_TESTS ? 180_000 : 60_000,
    // Many tests wait, for programs that they started and for answers, so there is one more of them than cores; jobs of act
    // share one folder, so they take turns.
    maxWorkers: process.env.PROTIUM_E2E_TESTS ? 1 : availableParallelism() + 1,
    // A snapshot that is not there yet is written by a person's run, never by CI.
    update: process.env.CI || process.env.PROTIUM_CI ? 'none' : 'new',
  },
})
