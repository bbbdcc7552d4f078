// What a collection of segments is asked for: one schema for the form, the flags and the call. And what it comes to, before anything is done.
import { z } from 'zod'

export const BEHAVIOURS = ['weak', 'expert', 'random', 'mixed', 'learned'] as const
export const SEGMENT_JUDGES = ['regret', 'reward', 'none'] as const

export const collectSettings = z.strictObject({
  world: z.string().meta({ title: 'World', help: 'Where the policy acts.' }),
  segments: z
    .int()
    .min(2)
    .max(200_000)
    .default(2000)
    .meta({ title: 'Segments', help: 'Stretches of behaviour; two of them make a pair.' }),
  steps: z
    .int()
    .min(2)
    .max(1000)
    .default(64)
    .meta({ title: 'Length', unit: 'steps', help: 'How long each segment is.' }),
  behaviour: z.enum(BEHAVIOURS).default('weak').meta({
    title: 'Who acts',
    help: 'weak: a script that acts worse than it could; expert: the best script; random: actions drawn evenly; mixed: the three in turn; learned: a policy that was trained here.',
  }),
  /** For `learned`. */
  runId: z
    .string()
    .nullable()
    .default(null)
    .meta({ title: 'Run', help: 'Whose policy acts.', when: { behaviour: ['learned'] } }),
  checkpoint: z
    .enum(['last', 'best'])
    .default('last')
    .meta({ title: 'Checkpoint', help: 'Of the run whose policy acts.', when: { behaviour: ['learned'] } }),
  noise: z
    .number()
    .min(0)
    .max(10)
    .default(0.3)
    .meta({
      title: 'Noise',
      help: 'Standard deviation of the Gaussian noise on actions, so that segments differ.',
      unless: { behaviour: ['random'] },
    }),
  label: z.enum(SEGMENT_JUDGES).default('regret').meta({
    title: 'Who judges',
    help: 'regret: the greater sum of advantages wins; reward: the greater sum of rewards; none: people judge, on the Label page.',
  }),
  seed: z.int().nonnegative().default(1).meta({ title: 'Seed', help: 'The same seed gives the same segments.' }),
  perEpisode: z.int().min(1).nullable().default(null).meta({
    title: 'Segments of an episode',
    help: 'How many are cut from an episode, from its start; as many as it holds where none is given. One makes starts alike, as comparing by regret wants them.',
    group: 'expert',
  }),
})
export type CollectSettings = z.infer<typeof collectSettings>

export const collectRequest = collectSettings.extend({ name: z.string().min(1).max(120) })
export type CollectRequest = z.infer<typeof collectRequest>

/** What is known of a world beforehand. */
export interface WorldMeasures {
  /** Steps of an episode. */
  readonly episodeSteps: number
  /** A*(s, a) is known in closed form, so that regret needs no acting out. */
  readonly advantageKnown: boolean
}

export interface CollectionSize {
  /** Segments that are kept: two a pair. */
  readonly segments: number
  readonly pairs: number
  readonly perEpisode: number
  readonly episodes: number
  /** Steps that are kept. */
  readonly transitions: number
  /** Steps that are acted: a last episode may be longer than what is kept of it. */
  readonly acted: number
  /** Segments whose regret is acted out by the expert, and at most so many steps for it. */
  readonly valued: number
  readonly valueSteps: number
}

/** How many segments an episode gives, whole ones from its start. @param wanted at most */
export function segmentsPerEpisode(episodeSteps: number, length: number, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(episodeSteps / length)))
}

export function sizeOfCollection(
  { segments, steps, perEpisode: wanted, label }: Pick<CollectSettings, 'segments' | 'steps' | 'perEpisode' | 'label'>,
  { episodeSteps, advantageKnown }: WorldMeasures,
): CollectionSize {
  const pairs = Math.floor(segments / 2)
  const perEpisode = segmentsPerEpisode(episodeSteps, steps, wanted ?? Number.POSITIVE_INFINITY)
  // Both halves begin with an episode: each is then compared with one other alone, and two can be kept on one side of a split.
  const half = Math.ceil(pairs / perEpisode) * perEpisode
  const valued = label === 'regret' && !advantageKnown ? 2 * half : 0
  return {
    segments: 2 * pairs,
    pairs,
    perEpisode,
    episodes: (2 * half) / perEpisode,
    transitions: 2 * pairs * steps,
    acted: 2 * half * steps,
    valued,
    valueSteps: 2 * valued * episodeSteps,
  }
}
