import { type DatasetCounts, warnAboutDataset } from '../../../shared/dataset-warnings.ts'
import { type RewardSource, type RunRequest } from '../../../shared/run-spec.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'
import type { RequestProblem } from '../../../shared/request-problems.ts'
import { formatCount, formatPercent } from '../../../shared/units.ts'
import type { ViewContent } from '../data/view.ts'
import { KIND_WORDS } from '../../../shared/kind-words.ts'
import type { AlgorithmPage } from '../../core/learn/define.ts'
import { isTextAlgorithm } from '../../core/learn/registry.ts'
import type { Advice } from './advice.ts'
import type { StartPoint } from './find-checkpoint.ts'
import { adviseExamples } from './advise-examples.ts'

interface Questioned {
  readonly request: RunRequest
  readonly algorithm: AlgorithmPage
  readonly training: TrainingConfig
  /** As the method's schema gives it, or as asked where that refuses it. */
  readonly config: Readonly<Record<string, unknown>>
  readonly content: ViewContent | null
  readonly rewards: RewardSource | null
  /** Checkpoints that score, where the request names any. */
  readonly rewardModel: StartPoint | null
  readonly judge: StartPoint | null
  readonly dataset: Omit<DatasetCounts, 'split'>
  /** Titles of settings that were asked for and that nothing reads. */
  readonly idle: readonly string[]
}

const FEW_PAIRS = 20
const MANY_EPOCHS = 20
const NOTABLE_TIES = 0.3

/** What a person should know before starting: what cannot work, and what may not work well. */
export function adviseRequest(asked: Questioned): {
  readonly problems: readonly RequestProblem[]
  readonly advice: readonly Advice[]
} {
  const { content, request } = asked
  const problems: RequestProblem[] = []
  const wrong = (path: string, message: string): void => void problems.push({ path, message })
  const advice: Advice[] = []
  const warn = (text: string): void => void advice.push({ level: 'warning', text })
  const tell = (text: string): void => void advice.push({ level: 'info', text })
  if (request.seeds.length === 1 && asked.training.steps > 0)
    tell('With one seed nothing can be concluded about the method; three or more give an interval.')
  if (new Set(request.seeds).size < request.seeds.length) wrong('seeds', 'Each seed can be given once.')
  if (asked.idle.length > 0)
    tell(
      `${asked.idle.join(', ')}: without effect on what was chosen (${[asked.algorithm.name, ...(asked.request.model.kind === 'networks' ? [] : [asked.training.adapt])].join(', ')}), and set back to the default.`,
    )
  if (
    asked.training.adapt !== 'full' &&
    asked.training.frozenStorage !== 'float32' &&
    !['auto', 'wasm', 'cpu'].includes(request.engine)
  ) {
    wrong(
      'training.frozenStorage',
      `The engine ${request.engine} keeps frozen weights as float32 only; wasm and cpu can keep them in fewer bits.`,
    )
  }
  if (content !== null) {
    // A view without anything to train on is a problem, and told as one.
    for (const { code, text, hint } of warnAboutDataset({ ...asked.dataset, split: content.counts }))
      if (code === 'nothing-to-validate')
        warn(
          `${text} ${asked.training.evalEvery === 0 ? 'Without evaluations in between none is needed' : 'There are too few prompts to train on to set some aside'}: no checkpoint is chosen, the last one is reported.`,
        )
      else if (code !== 'nothing-to-train') warn(`${text} ${hint}`)
    if (content.cutCount > 0)
      tell(
        `The data have a test side and none to validate on. Nothing is chosen by the test side, so ${formatCount(content.cutCount)} ${KIND_WORDS[asked.dataset.kind].items} of the training side, whole prompts at a time, are set aside to validate on.`,
      )
    if (isTextAlgorithm(asked.algorithm)) {
      adviseData(content, KIND_WORDS[asked.dataset.kind].items, wrong, warn, tell)
      for (const advised of adviseExamples(asked.algorithm, asked.config, content)) advice.push(advised)
    } else if (content.counts.train === 0) wrong('data.split', 'Nothing is on the training side of the split.')
    adviseTraining(asked, content, warn)
    if (asked.rewards?.kind === 'column' && content.lacksRewards) {
      wrong(
        'config.rewards.kind',
        'The rewards are to come from columns of the file, but some rows have no number there: import it with its reward columns chosen, or take the rewards from the labels.',
      )
    }
  }
  for (const [what, scorer] of [
    ['takes its rewards from', asked.rewardModel],
    ['is judged by', asked.judge],
  ] as const)
    if (scorer?.step === 0)
      warn(
        `The run ${what} ${scorer.run.runId}, whose best checkpoint is that before its first step: by its validation side that reward model learned nothing, and it scores every answer alike.`,
      )
  if (asked.algorithm.needsReference && request.model.kind === 'new') {
    warn(
      `${asked.algorithm.name} compares with a reference policy; a new model's is its random start. Start from a finished SFT run instead.`,
    )
  }
  return { problems, advice }
}

function adviseData(
  content: ViewContent,
  items: string,
  wrong: (path: string, message: string) => void,
  warn: (text: string) => void,
  tell: (text: string) => void,
): void {
  const { train } = content.counts
  if (train === 0) wrong('data.split', `None of the labeled ${items} is on the training side of the split.`)
  else if (train < FEW_PAIRS) warn(`There are only ${train} ${items} to train on.`)
  if (content.tieShare !== null && content.tieShare >= NOTABLE_TIES && items === 'pairs')
    tell(`${formatPercent(content.tieShare)} of the pairs are ties; a tie counts both completions by half.`)
  if (content.unlabeledCount > 0) tell(`${content.unlabeledCount} ${items} have no label that counts and are left out.`)
}

function adviseTraining({ training }: Questioned, content: ViewContent, warn: (text: string) => void): void {
  if (content.counts.train === 0) return
  const epochs = (training.steps * training.batchSize) / content.counts.train
  if (epochs > MANY_EPOCHS)
    warn(`Everything will be seen about ${Math.round(epochs)} times; watch the held-out curve for over-fitting.`)
  if (training.batchSize > content.counts.train && content.counts.train > 0)
    warn(`The batch (${training.batchSize}) is larger than the training side (${content.counts.train}).`)
}
