import { z } from 'zod'
import type { MemoryEstimate } from '../../../shared/contract/runs.ts'
import { choosableMetrics } from '../../../shared/metric-names.ts'
import type { CheckpointChoice } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { problemsOf, sayProblems, type RequestProblem } from '../../../shared/request-problems.ts'
import { writesSamples, type RunRequest, type RunSpec } from '../../../shared/run-spec.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'
import { type TextLayout } from '../../../shared/text-layouts.ts'
import { countDataset } from '../data/dataset-warnings.ts'
import type { ViewContent } from '../data/view.ts'
import type { ViewUse } from '../data/view-rows.ts'
import { kindsOf, type AlgorithmPage } from '../../core/learn/define.ts'
import { algorithms, findAlgorithm, isTextAlgorithm } from '../../core/learn/registry.ts'
import { compilePattern } from '../../core/learn/rewards.ts'
import { requireDataset, type DatasetEntry } from '../store/datasets.ts'
import { sayStrangers } from './check-annotators.ts'
import { findModel, type RegisteredModel } from './find-model.ts'
import { readRunSpec } from '../store/runs.ts'
import type { Advice } from './advice.ts'
import { adviseRequest } from './run-advice.ts'
import { engineOf } from './choose-engine.ts'
import { fitTraining } from './fit-memory.ts'
import { foreseeMemory, type MemoryQuestion } from './run-memory.ts'
import { findCheckpoint, type StartPoint } from './find-checkpoint.ts'
import { findStarts } from './find-starts.ts'
import { commandFor } from './run-command.ts'
import { chooseLayout } from './text-layout.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import { restIdle } from './idle-settings.ts'
import type { TrainingData } from './training-data.ts'

type Deps = Pick<HandlerDeps, 'db' | 'dataFolder' | 'appVersion' | 'runs' | 'engines'> & {
  readonly trainingData: TrainingData
}
type Json = z.infer<ReturnType<typeof z.json>>

/** A request with everything looked up that it names. `problems` keep it from being started. */
export interface CheckedRequest {
  readonly request: RunRequest
  readonly algorithm: AlgorithmPage
  readonly config: Readonly<Record<string, Json>>
  readonly training: TrainingConfig
  /** How prompts and completions become tokens. */
  readonly layout: TextLayout
  /** The weights it begins with were trained elsewhere. */
  readonly pretrained: boolean
  /** What of the data its method can use. */
  readonly use: ViewUse
  /** Null when the data set cannot be trained on; a problem says why. */
  readonly content: ViewContent | null
  readonly start: StartPoint | null
  /** Where each seed begins, where each begins at a run of its own. */
  readonly starts: ReadonlyMap<number, StartPoint>
  readonly registered: RegisteredModel | null
  readonly rewardModel: StartPoint | null
  readonly judge: StartPoint | null
  readonly engine: Pick<RunSpec, 'engine' | 'engineChoice'>
  /** What training would take; null where its sizes are not known. */
  readonly memory: MemoryEstimate | null
  readonly command: string
  readonly problems: readonly RequestProblem[]
  readonly advice: readonly Advice[]
}

/** Fills in every default and looks up what the request names. @throws AppError `spec-invalid` for an unknown method, `not-found` for an unknown data set */
export async function checkRequest(deps: Deps, asked: RunRequest): Promise<CheckedRequest> {
  const problems: RequestProblem[] = []
  const wrong = (path: string, message: string): void => void problems.push({ path, message })
  const algorithm = findAlgorithm(asked.method)
  const request = writesSamples(algorithm) ? asked : { ...asked, judge: null }
  const dataset = requireDataset(deps.db, request.data.datasetId)
  const parsedConfig = algorithm.config.safeParse(request.config)
  if (!parsedConfig.success) problems.push(...problemsOf(parsedConfig.error, 'config'))
  const config = z.record(z.string(), z.json()).parse(parsedConfig.success ? parsedConfig.data : request.config)
  const { training: wanted, idle } = restIdle(
    trainingConfig.parse({ ...presetOf(algorithm, request.preset, wrong).training, ...definedOnly(request.training) }),
    {
      data: algorithm.data,
      model: request.model.kind,
      reference: algorithm.needsReference,
      learns: algorithm.learns,
    },
  )
  if (!kindsOf(algorithm).includes(dataset.kind)) wrong('data.datasetId', sayMisfit(algorithm, dataset))
  if (!algorithm.models.some((use) => (use === 'networks') === (request.model.kind === 'networks'))) {
    wrong(
      'model.kind',
      request.model.kind === 'networks'
        ? `${algorithm.name} trains a language model: start from a new one, a finished run or a registered one.`
        : `${algorithm.name} makes its own networks: give "networks" as the model.`,
    )
  }
  const use = useOf(algorithm, wanted)
  const strangers = await sayStrangers(deps.db, dataset, request.data.annotators)
  if (strangers !== null) wrong('data.annotators', strangers)
  const content = await deps.trainingData
    .count(request.data, use)
    .catch((error: unknown) =>
      strangers === null
        ? toProblem(error, request.data.annotators.length > 0 ? 'data.annotators' : 'data.datasetId', problems)
        : null,
    )
  const find = (
    path: string,
    runId: string,
    which: CheckpointChoice,
    use: string,
    role: AlgorithmPage['role'] | null,
  ): StartPoint | null => attempt(() => findCheckpoint(deps, runId, which, use, role), path, problems)
  const rewards = parsedConfig.success ? (algorithm.rewards?.(parsedConfig.data) ?? null) : null
  const start =
    request.model.kind === 'run'
      ? find(
          'model.runId',
          request.model.runId,
          request.model.checkpoint,
          'start from',
          algorithm.role === 'policy' ? 'policy' : null,
        )
      : null
  const starts =
    start !== null && request.model.kind === 'run' && request.model.bySeed
      ? findStarts(deps, start, { checkpoint: request.model.checkpoint, seeds: request.seeds }, wrong)
      : new Map<number, StartPoint>()
  const { model } = request
  const registered =
    model.kind === 'registered'
      ? attempt(
          () => findModel(deps, model.modelId, algorithm.models.includes('text-encoder')),
          'model.modelId',
          problems,
        )
      : null
  const found = start?.path ?? registered?.path ?? null
  const speaks = algorithm.data === 'response-pairs' || algorithm.data === 'contrast-groups'
  const layout =
    !speaks || model.kind === 'networks' || (found === null && model.kind !== 'new')
      ? 'tags'
      : (attempt(
          () =>
            chooseLayout(wanted.layout, {
              folder: found,
              madeHere: start !== null || registered?.madeHere === true,
            }),
          'training.layout',
          problems,
        ) ?? 'tags')
  const rewardModel =
    rewards?.kind === 'reward-model'
      ? find('config.rewards.runId', rewards.runId, 'best', 'take rewards from', 'reward-model')
      : null
  const judge =
    request.judge?.kind === 'reward-model'
      ? find('judge.runId', request.judge.runId, 'best', 'judge with', 'reward-model')
      : null
  if (request.judge?.kind === 'label' || request.judge?.kind === 'column')
    wrong(
      'judge.kind',
      'The judge scores generated text, which has no labels and no columns: choose a reward model, a length, keywords or a pattern.',
    )
  for (const [part, source] of [
    ['config.rewards', rewards],
    ['judge', request.judge],
  ] as const) {
    if (source?.kind === 'regex') attempt(() => compilePattern(source.pattern), `${part}.pattern`, problems)
  }
  const { bestBy } = wanted
  const choosable = choosableMetrics(algorithm.metrics, writesSamples(algorithm)).map(({ name }) => name)
  if (bestBy !== 'auto' && !choosable.includes(bestBy))
    wrong(
      'training.bestBy',
      `${algorithm.name} has no held-out metric “${bestBy}” of which more or less is better: give auto or one of ${choosable.join(', ')}.`,
    )
  const engine = engineOf(deps.engines, request, wanted)
  const question: MemoryQuestion = {
    request,
    algorithm,
    kind: dataset.kind,
    config,
    training: wanted,
    folder: found,
    rewardModel: rewardModel?.path ?? null,
    judge: judge?.path ?? null,
  }
  const { training, advice: fit } = fitTraining(question, request.training, engine.engine)
  const pretrained =
    registered === null ? start !== null && readRunSpec(deps.db, start.run.runId).pretrained : !registered.madeHere
  const resolved = {
    request,
    algorithm,
    config,
    training,
    layout,
    pretrained,
    use,
    content,
    start,
    starts,
    registered,
    rewardModel,
    judge,
  }
  const advised = adviseRequest({
    ...resolved,
    dataset: countDataset(deps.db, dataset),
    rewards,
    idle: asked.judge === request.judge ? idle : [...idle, 'Judge of samples'],
  })
  return {
    ...resolved,
    engine,
    memory: foreseeMemory({ ...question, training }),
    command: commandFor({ algorithm, config, training, request, pretrained }),
    problems: [...problems, ...advised.problems],
    advice: fit === null ? advised.advice : [...advised.advice, fit],
  }
}

function useOf(algorithm: AlgorithmPage, { evalEvery }: Pick<TrainingConfig, 'evalEvery'>): ViewUse {
  const validates = evalEvery > 0
  if (!isTextAlgorithm(algorithm)) return { bothBad: false, validates }
  const { judgesEach, answers } = algorithm
  return { bothBad: judgesEach === true, validates, ...(answers === undefined ? {} : { answers }) }
}

function sayMisfit({ name, data }: AlgorithmPage, dataset: Pick<DatasetEntry, 'name' | 'kind'>): string {
  if (data !== 'response-pairs' || dataset.kind !== 'unpaired-responses')
    return `${name} learns from ${data}; "${dataset.name}" holds ${dataset.kind}.`
  const others = algorithms.filter((one) => kindsOf(one).includes('unpaired-responses')).map((one) => one.name)
  return `${name} needs two answers to a prompt, to set one against the other; "${dataset.name}" holds single answers, each called good or bad. ${others.join(', ')} can learn from those.`
}

function presetOf(
  { name, presets }: AlgorithmPage,
  id: string | null,
  wrong: (path: string, message: string) => void,
): AlgorithmPage['presets'][0] {
  const found = id === null ? presets[0] : presets.find((one) => one.id === id)
  if (found === undefined) wrong('preset', `${name} has no preset "${id}".`)
  return found ?? presets[0]
}

function definedOnly<T extends object>(changes: T): Partial<T> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Partial<T> // the same keys, fewer
}

/** An expected failure becomes a problem of the request. */
function attempt<T>(work: () => T, path: string, problems: RequestProblem[]): T | null {
  try {
    return work()
  } catch (error) {
    return toProblem(error, path, problems)
  }
}

function toProblem(error: unknown, path: string, problems: RequestProblem[]): null {
  if (!(error instanceof AppError)) throw error
  problems.push({ path, message: `${error.message} ${error.hint}` })
  return null
}

/** @throws AppError `spec-invalid` naming every problem */
export function refuseProblems({ problems }: CheckedRequest): void {
  if (problems.length > 0)
    throw new AppError({
      code: 'spec-invalid',
      message: sayProblems(problems),
      hint: 'Change the named settings and try again.',
      details: { problems: [...problems] },
    })
}
