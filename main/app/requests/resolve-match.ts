// What a match asks for, looked up: who plays, who judges, and on which prompts.
import { existsSync } from 'node:fs'
import type { Judge, MatchRequest, Player } from '../../../shared/contract/matches.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { dataSpec, type RunSpec } from '../../../shared/run-spec.ts'
import type { QuestionOf } from '../../base/processes/worker-questions.ts'
import { compilePattern } from '../../core/learn/rewards.ts'
import { buildView } from '../data/view.ts'
import { chooseEngine, readFigures } from '../engine-setup/figures.ts'
import { enginesFolderOf } from '../engine-setup/folder.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import type { ResolvedMatch } from '../matches/match-service.ts'
import { requireDataset } from '../store/datasets.ts'
import { findRun, missingRun, readRunSpec } from '../store/runs.ts'
import { findCheckpoint } from './find-checkpoint.ts'
import { findWriter } from './find-writer.ts'

type Deps = Pick<HandlerDeps, 'db' | 'dataFolder' | 'runs' | 'appVersion'>
type Question = QuestionOf<'match'>

/** @throws AppError `not-found`, `spec-invalid`, `input-invalid` */
export async function resolveMatch(deps: Deps, request: MatchRequest): Promise<ResolvedMatch> {
  const [one, other] = request.players.map((player) => resolvePlayer(deps, player))
  const judge = resolveJudge(deps, request.judge)
  const figures = readFigures(enginesFolderOf(deps.dataFolder), deps.appVersion)
  return {
    titles: [one!.title, other!.title],
    players: [one!.player, other!.player],
    judge,
    view: await viewOf(deps, request),
    engine: request.engine === 'auto' ? chooseEngine(figures, 'sampling').name : request.engine,
  }
}

interface ResolvedPlayer {
  readonly title: string
  readonly player: Question['players'][0]
}

function resolvePlayer(deps: Deps, player: Player): ResolvedPlayer {
  if (player.kind === 'data')
    return {
      title: player.answers === 'chosen' ? 'the preferred answers' : 'the other answers',
      player: { kind: 'data', answers: player.answers },
    }
  const { title, model, run } = findWriter(deps, player)
  const spec = run === null ? null : readRunSpec(deps.db, run.runId)
  return {
    title,
    player: {
      kind: 'model',
      model,
      maxLength: spec?.training.maxLength ?? null,
      trainedOn:
        spec !== null && existsSync(spec.data.viewPath) ? { path: spec.data.viewPath, hash: spec.data.viewHash } : null,
    },
  }
}

function resolveJudge(deps: Deps, judge: Judge): ResolvedMatch['judge'] {
  switch (judge.kind) {
    case 'people':
      return { title: 'people', asked: { kind: 'nobody' } }
    case 'model': {
      const { title, model } = findWriter(deps, judge.source)
      return { title, asked: { kind: 'model', model } }
    }
    case 'reward-model': {
      const { run, path, step } = findCheckpoint(deps, judge.runId, 'best', 'judge with', 'reward-model')
      const { maxLength } = readRunSpec(deps.db, run.runId).training
      return { title: `${run.name} s${run.seed} · step ${step}`, asked: { kind: 'reward-model', path, maxLength } }
    }
    case 'length':
      return { title: `a length of ${judge.target} characters`, asked: { kind: 'rule', source: judge } }
    case 'keyword':
      return { title: `the words ${judge.words.join(', ')}`, asked: { kind: 'rule', source: judge } }
    case 'regex':
      compilePattern(judge.pattern) // a broken one is better known now
      return { title: `the pattern ${judge.pattern}`, asked: { kind: 'rule', source: judge } }
  }
}

/** The frozen data of the first player that is a run, on which both are tried; else what the data set is now. */
async function viewOf(deps: Deps, { players, datasetId }: MatchRequest): Promise<ResolvedMatch['view']> {
  const specs = players.flatMap((player): RunSpec[] => {
    if (player.kind !== 'run') return []
    if (findRun(deps.db, player.runId) === null) throw missingRun(deps.db, player.runId)
    return [readRunSpec(deps.db, player.runId)]
  })
  const spec = specs.find(({ data }) => datasetId === null || data.datasetId === datasetId)
  if (spec !== undefined && existsSync(spec.data.viewPath))
    return { path: spec.data.viewPath, hash: spec.data.viewHash, datasetName: spec.data.datasetName }
  const wanted = datasetId ?? specs[0]?.data.datasetId ?? null
  if (wanted === null)
    throw new AppError({
      code: 'input-invalid',
      message: 'Neither player is a run, so that it is not known which prompts they should answer.',
      hint: 'Name the data set whose held-out prompts they get.',
    })
  return freshView(deps, wanted)
}

async function freshView({ db, dataFolder }: Deps, datasetId: DatasetId): Promise<ResolvedMatch['view']> {
  const dataset = requireDataset(db, datasetId)
  if (dataset.kind !== 'response-pairs' && dataset.kind !== 'unpaired-responses')
    throw new AppError({
      code: 'input-invalid',
      message: `"${dataset.name}" has no prompts that could be answered.`,
      hint: 'Choose a data set of answers to prompts.',
    })
  const { viewPath, viewHash } = await buildView(db, dataFolder, dataSpec.parse({ datasetId, split: dataset.split }), {
    bothBad: true,
    answers: 'judged',
  })
  return { path: viewPath, hash: viewHash, datasetName: dataset.name }
}
