import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

/** A text as it was before a build packed it into the file of this name; see `packed.ts`. */
export function unpacked(name: string): string {
  return brotliDecompressSync(readFileSync(new URL(name, import.meta.url))).toString()
}
