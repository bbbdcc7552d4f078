import type { MetricInfo } from './domain.ts'

/** Measures of a ranking, which depend on the cut-off k. @param name without `eval/` or `test/` */
export function isRankingMeasure(name: string): boolean {
  return /^(first_stage_)?(ndcg|ndcg_exp|mrr|map|recall)$/.test(name)
}

/** What the trainer itself reports, whatever the method. A method's own words win. */
const COMMON: readonly MetricInfo[] = [
  { name: 'loss', label: 'Loss', unit: 'nats', goal: 'min', help: 'What the optimizer lowers.' },
  {
    name: 'grad_norm',
    label: 'Gradient norm',
    unit: '',
    goal: 'none',
    help: 'Global norm before clipping. Spikes that come often mean the learning rate is high.',
  },
  {
    name: 'learning_rate',
    label: 'Learning rate',
    unit: '',
    goal: 'none',
    help: 'Rises in the warm-up, then follows the schedule.',
  },
  {
    name: 'tokens_per_sec',
    label: 'Speed',
    unit: 'tokens/s',
    goal: 'none',
    help: 'Tokens that went through the model in a second.',
  },
  {
    name: 'lists_per_sec',
    label: 'Speed',
    unit: 'lists/s',
    goal: 'none',
    help: 'Queries whose lists were trained on in a second.',
  },
  {
    name: 'samples/reward',
    label: 'Reward of samples',
    unit: '',
    goal: 'max',
    help: 'Mean reward of completions generated for held-out prompts.',
  },
  {
    name: 'samples/win_rate',
    label: 'Win rate over the reference',
    unit: 'fraction',
    goal: 'max',
    help: 'How often a generated completion has a higher reward than the reference policy’s; 0.5 is no difference.',
  },
  {
    name: 'logps/accuracies',
    label: 'Likelihood accuracy',
    unit: 'fraction',
    goal: 'max',
    help: 'How often the preferred completion is likelier per token, without the reference.',
  },
  {
    name: 'samples/tokens',
    label: 'Length of samples',
    unit: 'tokens',
    goal: 'none',
    help: 'Mean length of generated completions.',
  },
  {
    name: 'rollout/reward',
    label: 'Reward of roll-outs',
    unit: '',
    goal: 'max',
    help: 'Mean reward of what the policy wrote in training, on the scale of its source.',
  },
  {
    name: 'rollout/kl',
    label: 'KL of roll-outs',
    unit: 'nats',
    goal: 'none',
    help: 'log π − log π_ref on what the policy wrote for held-out prompts, a sequence; π_ref as it stands, where it is re-synced.',
  },
  {
    name: 'rollout/tokens',
    label: 'Length of roll-outs',
    unit: 'tokens',
    goal: 'none',
    help: 'Mean length of what the policy wrote in training.',
  },
  {
    name: 'rollout/entropy',
    label: 'Entropy',
    unit: 'nats/token',
    goal: 'none',
    help: 'Minus the mean log-probability of the tokens written. Near 0 the policy always writes the same.',
  },
  {
    name: 'rollout/unfinished',
    label: 'Unfinished roll-outs',
    unit: 'fraction',
    goal: 'min',
    help: 'Share that reached the longest length without ending.',
  },
  {
    name: 'rollout/equal-rewards',
    label: 'Prompts without a signal',
    unit: 'fraction',
    goal: 'min',
    help: 'Share of prompts whose completions all have the same reward.',
  },
  {
    name: 'samples/kl',
    label: 'KL of samples',
    unit: 'nats',
    goal: 'none',
    help: 'log π − log π₀ on the policy’s own completions; π₀ is where training began, also where the reference is re-synced.',
  },
  {
    name: 'system/processor',
    label: 'Processor',
    unit: 'cores',
    goal: 'none',
    help: 'Processor cores that the run kept busy, since the reading before.',
  },
  {
    name: 'system/memory',
    label: 'Memory',
    unit: 'GB',
    goal: 'none',
    help: 'Memory of the machine that the run’s process had.',
  },
  {
    name: 'system/card_memory',
    label: 'Memory of the card',
    unit: 'GB',
    goal: 'none',
    help: 'Taken on the graphics card, by whatever uses it.',
  },
  {
    name: 'system/card',
    label: 'Graphics card',
    unit: 'fraction',
    goal: 'none',
    help: 'Share of the time in which the graphics card had work, of whatever uses it.',
  },
  { name: 'system/card_temperature', label: 'Temperature of the card', unit: '°C', goal: 'none', help: '' },
  { name: 'system/card_power', label: 'Power of the card', unit: 'W', goal: 'none', help: '' },
]

function words(name: string): string {
  const text = name.replaceAll(/[/_]+/g, ' ').trim()
  return upperFirst(text)
}

/** As it stands at the beginning of a sentence. */
export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** As it stands within a sentence: names that are more than a word's first letter stay. */
export function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}

export const EVAL = 'eval/'
export const TEST = 'test/'

/** The name without `eval/` or `test/`: training and held-out values of one quantity share it. */
export function baseName(name: string): string {
  return name.startsWith(EVAL) ? name.slice(EVAL.length) : name.startsWith(TEST) ? name.slice(TEST.length) : name
}

/** Counts that say how far something went, not how well. */
export function isCount(name: string): boolean {
  return ['pairs', 'judged', 'epoch'].includes(baseName(name))
}

/** What a run took of the machine: it says nothing of what was learned, and is compared with nothing. */
export function isOfMachine(name: string): boolean {
  return name.startsWith('system/')
}

/** How a metric is called and read; an unknown one gets its own name in words. */
export function describeMetric(name: string, infos: readonly MetricInfo[]): MetricInfo {
  const exact = infos.find((info) => info.name === name) ?? COMMON.find((info) => info.name === name)
  if (exact !== undefined) return exact
  const base = baseName(name)
  if (base !== name) {
    const info = describeMetric(base, infos)
    return { ...info, name, label: `${name.startsWith(TEST) ? 'Test' : 'Held-out'} ${lowerFirst(info.label)}` }
  }
  return { name, label: words(name), unit: '', goal: 'none', help: '' }
}

/** What the trainer measures of every policy that writes, whatever its method says. */
const OF_WRITERS = ['logps/accuracies', 'samples/reward', 'samples/win_rate', 'rollout/reward']

/** Metrics of a validation side by which a checkpoint may be chosen: those of which more, or less, is better. @param infos the method's own */
export function choosableMetrics(infos: readonly MetricInfo[], writes: boolean): MetricInfo[] {
  const names = new Set([...infos.map(({ name }) => name), ...(writes ? OF_WRITERS : [])])
  return [...names].map((name) => describeMetric(`${EVAL}${name}`, infos)).filter(({ goal }) => goal !== 'none')
}

const ENDS = [
  ['/low', '/high'],
  ['_low', '_high'],
  ['/lower', '/upper'],
  ['_lower', '_upper'],
] as const

/** True for the ends of an interval, which are drawn as the band of another metric and not on their own. */
export function isIntervalEnd(name: string, names: ReadonlySet<string>): boolean {
  return ENDS.flat().some((end) => name.endsWith(end) && names.has(name.slice(0, -end.length)))
}

/** Names of the interval's ends of a metric, if the trainer reports them. */
export function intervalEnds(
  name: string,
  names: ReadonlySet<string>,
): { readonly low: string; readonly high: string } | null {
  for (const [low, high] of ENDS) {
    if (names.has(name + low) && names.has(name + high)) return { low: name + low, high: name + high }
  }
  return null
}

/** ↑ more is better, ↓ less is better. */
export function arrowOf(goal: MetricInfo['goal']): string {
  return goal === 'max' ? '↑' : goal === 'min' ? '↓' : ''
}
