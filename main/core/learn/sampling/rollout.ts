import { z } from 'zod'
import type { MetricInfo } from '../../../../shared/domain.ts'
import type { RewardSource } from '../../../../shared/run-spec.ts'
import type { Rollout } from '../define.ts'
import { scoresNewText } from '../rewards.ts'

// What methods share in which the policy writes and a reward scores: settings, and numbers of what was written.

/** How the policy writes. */
export const writingFields = {
  rolloutTokens: z.int().min(1).max(2048).default(48).meta({
    title: 'Longest completion',
    unit: 'tokens',
    help: 'What the policy writes in training ends here if it has not ended itself. Read only where it writes.',
    group: 'expert',
  }),
  rolloutTemperature: z.number().positive().max(10).default(1).meta({
    title: 'Roll-out temperature',
    help: 'At 1 the samples are the policy’s own, as the gradient assumes; any other value makes it biased. Read only where the policy writes.',
    group: 'expert',
  }),
} as const

export const rolloutFields = {
  ...writingFields,
  maskTruncated: z.boolean().default(false).meta({
    title: 'Mask truncated completions',
    help: 'What was cut at the longest completion carries no loss (DAPO’s overlong filtering); its reward still counts in what the others of its prompt are compared with. Read only where the policy writes.',
    group: 'expert',
    asBefore: false,
  }),
} as const

/** Those settings, as the trainer reads them. */
export function writtenBy(
  value: z.output<z.ZodObject<typeof writingFields>> & { readonly maskTruncated?: boolean },
): Pick<Rollout, 'maxTokens' | 'temperature' | 'maskTruncated'> {
  const { rolloutTokens, rolloutTemperature, maskTruncated = false } = value
  return { maxTokens: rolloutTokens, temperature: rolloutTemperature, maskTruncated }
}

/** Labels and columns belong to completions that are there already: what is written anew needs another reward. */
export function needsScorable<S extends z.ZodType<{ readonly rewards: RewardSource }>>(
  schema: S,
  online: (value: z.output<S>) => boolean,
): S {
  return schema.refine((value) => !online(value) || scoresNewText(value.rewards), {
    path: ['rewards'],
    message:
      'completions that the policy writes have no labels and no columns: choose a reward model, a length, keywords or a pattern',
  }) as S
}

export interface WrittenGroup {
  /** Rewards of a prompt's completions, scaled as the loss sees them. */
  readonly rewards: readonly number[]
  /** The same as the source gives them. */
  readonly rawRewards: readonly number[]
  readonly completions: readonly {
    readonly tokens: number
    readonly ended: boolean
    /** Of each token under the policy that wrote it. */ readonly logProbs: readonly number[]
  }[]
}

/** Numbers of one step's completions. */
export function rolloutMetrics(groups: readonly WrittenGroup[]): Record<string, number> {
  const rows = groups.flatMap((group) => group.completions)
  const mean = (values: readonly number[]): number =>
    values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
  const tokenLogProbs = rows.flatMap((row) => row.logProbs)
  return {
    'rollout/reward': mean(groups.flatMap((group) => group.rawRewards)),
    'rollout/tokens': mean(rows.map((row) => row.tokens)),
    'rollout/unfinished': mean(rows.map((row) => (row.ended ? 0 : 1))),
    'rollout/entropy': 0 - mean(tokenLogProbs),
    'rollout/equal-rewards': mean(
      groups.map((group) => (group.rewards.every((reward) => reward === group.rewards[0]) ? 1 : 0)),
    ),
  }
}

export const ROLLOUT_INFO: readonly MetricInfo[] = [
  {
    name: 'rollout/reward',
    label: 'Reward of roll-outs',
    unit: '',
    goal: 'max',
    help: 'Mean reward of what the policy wrote, on the scale of its source. It rises; while KL runs away it may rise for the wrong reason.',
  },
  {
    name: 'rollout/tokens',
    label: 'Length of roll-outs',
    unit: 'tokens',
    goal: 'none',
    help: 'Mean length of what the policy wrote. Steady growth without more reward is a bias of the objective toward length.',
  },
  {
    name: 'rollout/unfinished',
    label: 'Unfinished roll-outs',
    unit: 'fraction',
    goal: 'min',
    help: 'Share that reached the longest length without ending.',
  },
  {
    name: 'rollout/entropy',
    label: 'Entropy',
    unit: 'nats/token',
    goal: 'none',
    help: 'Minus the mean log-probability of the tokens written: an estimate of the policy’s entropy. It falls slowly; near 0 the policy always writes the same.',
  },
  {
    name: 'rollout/equal-rewards',
    label: 'Prompts without a signal',
    unit: 'fraction',
    goal: 'min',
    help: 'Share of prompts whose completions all have the same reward: their advantages are 0.',
  },
]
