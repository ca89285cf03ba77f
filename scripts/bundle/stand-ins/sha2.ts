import { createHash } from 'node:crypto'

/** Stands in for `@noble/hashes/sha2.js` (5 kB), which is there for who has no `node:crypto`. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
