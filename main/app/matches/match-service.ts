import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Match, MatchBout, MatchRequest, MatchResult } from '../../../shared/contract/matches.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { aborted } from '../../base/aborted.ts'
import { systemError } from '../../base/files/system-error.ts'
import type { Log } from '../../base/log.ts'
import { askWorker } from '../../base/processes/ask-worker.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { QuestionOf } from '../../base/processes/worker-questions.ts'
import type { EventBus } from '../events.ts'
import { createJobs, type Job } from '../jobs.ts'
import {
  boutsPath,
  listMatches,
  matchFolder,
  partPath,
  passingFiles,
  readBouts,
  readMatch,
  viewPath,
  writeMatch,
} from './match-files.ts'
import { resultOf } from './match-result.ts'

type Question = QuestionOf<'match'>

/** What a request came out as. */
export interface ResolvedMatch {
  readonly titles: readonly [string, string]
  readonly players: Question['players']
  readonly judge: { readonly title: string; readonly asked: Question['judge'] }
  readonly view: { readonly path: string; readonly hash: string; readonly datasetName: string }
  readonly engine: Question['engine']
}

export interface MatchService {
  /** Waits its turn: a match takes every core. The same key again is the same match. */
  start(request: MatchRequest, resolved: ResolvedMatch, clientKey: string | undefined): string
  /** Newest first. */
  list(): Match[]
  /** @throws AppError `not-found` */
  get(matchId: string): Match
  bouts(matchId: string): MatchBout[]
  /** One that has ended stays as it is. @throws AppError `not-found` */
  cancel(matchId: string): Promise<void>
  /** @throws AppError `not-found`, `run-conflict` while it is played */
  remove(matchId: string): void
  isBusy(): boolean
  close(): Promise<void>
}

export interface MatchDeps {
  readonly dataFolder: string
  readonly enginesFolder: string
  readonly events: Pick<EventBus, 'emit'>
  readonly worker: ProgramCommand
  /** A data set of pairs, read from a file, for people to label. */
  readonly makePairs: (file: string, name: string) => Promise<DatasetId>
  readonly log: Pick<Log, 'error'>
}

export function createMatchService({
  dataFolder,
  enginesFolder,
  events,
  worker,
  makePairs,
  log,
}: MatchDeps): MatchService {
  const jobs = createJobs<Match>({
    tell: (state) => events.emit('match.progress', state),
    failure: (error) => ({ error: toWire(systemError(error)), endedAtMs: Date.now() }),
    missing,
  })
  /** Settles when the matches that were asked for so far have ended. */
  let turn: Promise<unknown> = Promise.resolve()

  async function play(job: Job<Match>, resolved: ResolvedMatch): Promise<void> {
    const { request, matchId, title } = job.state
    job.change({ state: 'running', note: 'Opening the first player' })
    const { temperature, topP, maxTokens } = request.settings
    const found = await askWorker(
      worker,
      'match',
      {
        players: resolved.players,
        judge: resolved.judge.asked,
        view: { path: viewPath(dataFolder, matchId), hash: resolved.view.hash },
        side: request.side,
        prompts: request.prompts,
        samples: request.samples,
        settings: { temperature, topP, maxTokens },
        seed: request.seed,
        cacheFolder: path.join(dataFolder, 'cache'),
        out: partPath(dataFolder, matchId),
        engine: resolved.engine,
        enginesFolder,
      },
      { onNote: (note) => job.progress({ note }), signal: job.signal },
    )
    renameSync(partPath(dataFolder, matchId), boutsPath(dataFolder, matchId))
    const result = resultOf({
      found,
      bouts: readBouts(dataFolder, matchId),
      titles: resolved.titles,
      players: request.players,
      judge: resolved.judge.title,
      datasetName: resolved.view.datasetName,
      side: request.side,
      maxTokens,
    })
    const labelIn = request.judge.kind === 'people' ? await askPeople(matchId, title) : null
    job.change({ result: { ...result, labelIn }, note: '', endedAtMs: Date.now() })
  }

  /** Pairs whose two answers are the same text need nobody: they are ties. */
  async function askPeople(matchId: string, title: string): Promise<DatasetId> {
    const rows = readBouts(dataFolder, matchId).flatMap(({ prompt, answers: [a, b] }, at) =>
      a.text === b.text ? [] : [{ id: `bout-${at}`, prompt, answer_1: a.text, answer_2: b.text }],
    )
    if (rows.length === 0)
      throw new AppError({
        code: 'input-invalid',
        message: 'Both players gave the same answer to every prompt: there is nothing to judge.',
        hint: 'Raise the temperature, or choose other players.',
      })
    const file = path.join(matchFolder(dataFolder, matchId), 'to-label.jsonl')
    await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return makePairs(file, title)
  }

  const asItStands = (stored: Match): Match => jobs.get(stored.matchId)?.state ?? stored

  /** What was needed while it was played goes; what somebody removed meanwhile stays removed. */
  function end(match: Match): void {
    try {
      if (!existsSync(matchFolder(dataFolder, match.matchId))) return
      for (const file of passingFiles(dataFolder, match.matchId)) rmSync(file, { force: true })
      writeMatch(dataFolder, match)
    } catch (error) {
      log.error(`the end of ${match.matchId} could not be written`, error) // the next one is played all the same
    }
  }

  // Those that were played when their process went are over.
  for (const stored of listMatches(dataFolder))
    if (isPlayed(stored)) end({ ...stored, state: 'cancelled', note: 'It ended with the app.', endedAtMs: Date.now() })

  function find(matchId: string): Match {
    const stored = readMatch(dataFolder, matchId) // written before it begins
    if (stored === null) throw missing(matchId)
    return asItStands(stored)
  }

  return {
    start(request, resolved, clientKey) {
      const matchId = `match-${(clientKey === undefined ? randomBytes(6).toString('hex') : createHash('sha256').update(clientKey).digest('hex')).slice(0, 12)}`
      const known = readMatch(dataFolder, matchId)
      if (known !== null && asItStands(known).state !== 'cancelled') return matchId
      mkdirSync(matchFolder(dataFolder, matchId), { recursive: true })
      keepView(resolved.view.path, viewPath(dataFolder, matchId))
      const first: Match = {
        matchId,
        request,
        title: `${resolved.titles[0]} against ${resolved.titles[1]}`,
        state: 'waiting',
        startedAtMs: Date.now(),
        endedAtMs: null,
        note: 'Waiting for its turn',
        result: null,
        error: null,
      }
      writeMatch(dataFolder, first)
      const before = turn
      const job = jobs.start(matchId, first, async (one) => {
        await Promise.race([before, aborted(one.signal)])
        one.signal.throwIfAborted()
        await play(one, resolved)
      })
      // One that is cancelled while it waits ends at once; the next waits for those before it all the same.
      turn = Promise.allSettled([before, job.ended.then(end)])
      return matchId
    },
    list: () => listMatches(dataFolder).map(asItStands),
    get: find,
    bouts: (matchId) => readBouts(dataFolder, find(matchId).matchId),
    async cancel(matchId) {
      find(matchId)
      const job = jobs.get(matchId)
      job?.cancel()
      await job?.ended
    },
    remove(matchId) {
      if (isPlayed(find(matchId)))
        throw new AppError({ code: 'run-conflict', message: 'The match is being played.', hint: 'Cancel it first.' })
      rmSync(matchFolder(dataFolder, matchId), { recursive: true, force: true })
    },
    isBusy: () => jobs.isBusy(),
    close: () => jobs.close(),
  }
}

function isPlayed({ state }: Match): boolean {
  return state === 'waiting' || state === 'running'
}

function missing(matchId: string): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no match "${matchId}".`,
    hint: 'It may have been removed; look at the list: pairlab versus --list',
  })
}

/** The same bytes under another name; a copy where the disk has no links. */
function keepView(from: string, to: string): void {
  rmSync(to, { force: true })
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}

/** What a match that people judge has come to. @param outcomes by the ids that its pairs have in the data set */
export function judgedByPeople(
  result: MatchResult,
  bouts: readonly MatchBout[],
  outcomes: ReadonlyMap<string, number>,
): MatchBout[] {
  return result.labelIn === null
    ? [...bouts]
    : bouts.map((bout, at) => ({
        ...bout,
        outcome: bout.answers[0].text === bout.answers[1].text ? 0.5 : (outcomes.get(`bout-${at}`) ?? null),
      }))
}
