import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/reporter.ts'],
    // A property test that meets a slow machine is slow, not wrong.
    testTimeout: 30_000,
    // A snapshot that is not there yet is written by a person's run, never by CI.
    update: process.env.CI || process.env.PROTIUM_CI ? 'none' : 'new',
  },
})
