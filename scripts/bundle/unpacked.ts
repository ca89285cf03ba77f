import { brotliDecompressSync } from 'node:zlib'

/** A text as it was before a build packed it; see `packed.ts`. */
export function unpacked(text: string): string {
  return brotliDecompressSync(Buffer.from(text, 'base64')).toString()
}
