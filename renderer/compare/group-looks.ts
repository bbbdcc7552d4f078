import { DASHES, groupDash, runColourToken } from '../parts/run-colour.ts'

export interface Look {
  /** Name of a colour token. */
  readonly colour: string
  readonly dash: readonly number[]
}

const COLOURS = 8

/**
 * A look for each group of one comparison. Each starts from its own hash, so that a group keeps its look from page to
 * page; where two would get the same colour or dash, the later one (in order of hash) takes the next that is used
 * least. Up to eight groups have a colour of their own, up to four a dash of their own.
 */
export function lookOfGroups(groupHashes: readonly string[]): ReadonlyMap<string, Look> {
  const used = new Map<string, number>()
  const fewestOf = <T>(choices: readonly T[], key: (choice: T) => string): T | undefined => {
    const counts = choices.map((choice) => used.get(key(choice)) ?? 0)
    const found = choices[counts.indexOf(Math.min(...counts))]
    if (found !== undefined) used.set(key(found), (used.get(key(found)) ?? 0) + 1)
    return found
  }
  const looks = new Map<string, Look>()
  for (const hash of [...new Set(groupHashes)].toSorted()) {
    const first = Number(runColourToken(hash).slice(3)) - 1
    const tokens = Array.from({ length: COLOURS }, (_, at) => `--r${((first + at) % COLOURS) + 1}`)
    const dashFirst = DASHES.indexOf(groupDash(hash))
    const dashes = DASHES.map((_, at) => DASHES[(dashFirst + at) % DASHES.length] ?? [])
    looks.set(hash, {
      colour: fewestOf(tokens, (token) => token) ?? '--r1',
      dash: fewestOf(dashes, (dash) => dash.join(' ')) ?? [],
    })
  }
  return looks
}
