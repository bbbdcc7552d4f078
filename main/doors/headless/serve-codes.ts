import { randomBytes } from 'node:crypto'

/** Long enough to copy an address from a terminal, short enough that one left in a log is worth nothing. */
const CODE_LIFE_MS = 10 * 60_000
const MOST_CODES = 64

/** Codes that are exchanged once for the key of the session, so that the key itself stands in no address. */
export interface OneTimeCodes {
  issue(): string
  /** True once for each code, while it is young. */
  redeem(code: string): boolean
}

/** @param lifeMs for tests */
export function createOneTimeCodes(lifeMs = CODE_LIFE_MS, now: () => number = Date.now): OneTimeCodes {
  const endMsOf = new Map<string, number>()
  return {
    issue() {
      const oldest = endMsOf.keys().next().value
      if (endMsOf.size >= MOST_CODES && oldest !== undefined) endMsOf.delete(oldest)
      const code = randomBytes(24).toString('base64url')
      endMsOf.set(code, now() + lifeMs)
      return code
    },
    redeem(code) {
      // Looked up in a hash table of random codes: how long that takes tells nothing of their letters.
      const endMs = endMsOf.get(code)
      endMsOf.delete(code)
      return endMs !== undefined && now() < endMs
    },
  }
}
