/** The terminal's door: `node src/cli.ts <command>`. What it does is in `terminal.ts`. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Compiled code is kept beside the packages it belongs to, so that a small command starts at once. Nothing depends on it.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'protium'))

const { main } = await import('./terminal.ts')
process.exitCode = await main(process.argv.slice(2))
