import { DASHES, groupDash, runColourToken } from '../parts/run-colour.ts'

export interface Look {
  /** Name of a colour token. */
  readonly colour: string
  readonly dash: readonly number[]
}

const COLOURS = 8

/**
 * A look for each group of one comparison. Each starts from its own hash, so that a group keeps its look from page to
 * page; where two would get the same colour the later one (in order of hash) takes the next that is free. Only past
 * eight groups are colours shared, told apart by the dash.
 */
export function lookOfGroups(groupHashes: readonly string[]): ReadonlyMap<string, Look> {
  const used = new Map<string, number>()
  const looks = new Map<string, Look>()
  for (const hash of [...new Set(groupHashes)].toSorted()) {
    const first = Number(runColourToken(hash).slice(3)) - 1
    const tokens = Array.from({ length: COLOURS }, (_, at) => `--r${((first + at) % COLOURS) + 1}`)
    const fewest = Math.min(...tokens.map((token) => used.get(token) ?? 0))
    const colour = tokens.find((token) => (used.get(token) ?? 0) === fewest) ?? '--r1'
    const times = used.get(colour) ?? 0
    used.set(colour, times + 1)
    const dashAt = (DASHES.indexOf(groupDash(hash)) + times) % DASHES.length
    looks.set(hash, { colour, dash: DASHES[dashAt] ?? [] })
  }
  return looks
}
