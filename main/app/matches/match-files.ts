// A match as it lies in the data folder: `matches/<id>/match.json`, what was asked and what came of it, and `bouts.jsonl`, every answer.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { bout, match, type Match, type MatchBout } from '../../../shared/contract/matches.ts'
import { replaceFile } from '../../base/files/durable.ts'
import { isErrno } from '../../base/files/system-error.ts'

export function matchFolder(dataFolder: string, matchId: string): string {
  return path.join(dataFolder, 'matches', matchId)
}

export function boutsPath(dataFolder: string, matchId: string): string {
  return path.join(matchFolder(dataFolder, matchId), 'bouts.jsonl')
}

/** The prompts, by another name while it is played: the run whose data they are may be deleted meanwhile. */
export function viewPath(dataFolder: string, matchId: string): string {
  return path.join(matchFolder(dataFolder, matchId), 'view.jsonl')
}

/** Bouts that are not all there yet. */
export function partPath(dataFolder: string, matchId: string): string {
  return `${boutsPath(dataFolder, matchId)}.part`
}

/** There while it is played alone. */
export function passingFiles(dataFolder: string, matchId: string): readonly string[] {
  return [viewPath(dataFolder, matchId), partPath(dataFolder, matchId)]
}

/** @throws what the system says */
export function writeMatch(dataFolder: string, value: Match): void {
  const folder = matchFolder(dataFolder, value.matchId)
  mkdirSync(folder, { recursive: true })
  replaceFile(path.join(folder, 'match.json'), `${JSON.stringify(match.parse(value), null, 1)}\n`)
}

/** Null where there is none, or one that cannot be read. */
export function readMatch(dataFolder: string, matchId: string): Match | null {
  try {
    const text = readFileSync(path.join(matchFolder(dataFolder, matchId), 'match.json'), 'utf8')
    return match.safeParse(JSON.parse(text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

/** Newest first. */
export function listMatches(dataFolder: string): Match[] {
  const folder = path.join(dataFolder, 'matches')
  return (existsSync(folder) ? readdirSync(folder) : [])
    .flatMap((matchId) => readMatch(dataFolder, matchId) ?? [])
    .toSorted((a, b) => (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) || (a.matchId < b.matchId ? 1 : -1))
}

/** In the order of the prompts; none where none was written. A line that cannot be read is left out. */
export function readBouts(dataFolder: string, matchId: string): MatchBout[] {
  const file = boutsPath(dataFolder, matchId)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line === '') return []
      try {
        return bout.safeParse(JSON.parse(line)).data ?? []
      } catch {
        return []
      }
    })
}
