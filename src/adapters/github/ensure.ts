import { isUncertain } from './refusal.ts'

/** How often it is looked after a write whose answer was lost; before it is sent a second time, and after that. */
const looks = [6, 1] as const

export type Ensuring<T> = {
  /** Whether what is wanted is there already. Reads only; found by our key, and only if it is ours. */
  readonly look: () => Promise<T | undefined>
  /** Does it. Sent once, never repeated by the client. */
  readonly act: () => Promise<T>
  readonly pause: (look: number) => Promise<void>
  /** It has just been looked, and was not there. */
  readonly isAbsent?: boolean
}

export type Ensured<T> = { readonly value: T; readonly is: 'found' | 'made' }

/**
 * Brings something about once, however often this is run and whatever becomes of the answers: looks, acts, and if it cannot be
 * known whether the act took place, looks again instead of acting again. GitHub may show what was written only some reads
 * later, so there are several looks. Only what is still not there is tried a second time; after eight looks the error is thrown.
 */
export async function ensure<T>({ look, act, pause, isAbsent }: Ensuring<T>): Promise<Ensured<T>> {
  const there = isAbsent ? undefined : await look()
  if (there !== undefined) return { value: there, is: 'found' }
  let lost: unknown
  for (const most of looks) {
    try {
      return { value: await act(), is: 'made' }
    } catch (error) {
      if (!isUncertain(error)) throw error
      lost = error
    }
    for (let count = 0; count < most; count += 1) {
      await pause(count)
      const found = await look()
      if (found !== undefined) return { value: found, is: 'made' }
    }
  }
  throw lost
}
