import { z } from 'zod'

const numbers = z.array(z.number())

/** One stretch of behaviour; every list has one entry a step. */
export const segment = z
  .strictObject({
    /** [time][observation] */
    observations: z.array(numbers).min(1),
    /** [time][action] */
    actions: z.array(numbers).min(1),
    rewards: numbers,
    /** What is drawn: positions before each step [time][qpos]; null where the source has none. */
    qpos: z.array(numbers).nullable(),
    /** By which segments are compared, greater is better; null where nobody scored. */
    score: z.number().nullable(),
    /** Who acted, in words; null where unknown. */
    behaviour: z.string().nullable(),
    /** With it and the world the episode can be played again; null where it cannot. */
    origin: z.strictObject({ seed: z.int(), episode: z.int() }).nullable(),
  })
  .superRefine((value, context) => {
    const time = value.observations.length
    for (const name of ['actions', 'rewards', 'qpos'] as const) {
      const list = value[name]
      if (list !== null && list.length !== time)
        context.addIssue({ code: 'custom', path: [name], message: `has ${list.length} steps, observations ${time}` })
    }
    for (const name of ['observations', 'actions'] as const) {
      if (value[name].some((row) => row.length !== value[name][0]!.length))
        context.addIssue({ code: 'custom', path: [name], message: 'has steps of different sizes' })
    }
  })
export type Segment = z.infer<typeof segment>

/** The `data` of an item of kind `segment-pairs`. */
export const segmentPair = z.strictObject({
  /** Id of the world; null where it is not one of ours, and nobody can act in it. */
  world: z.string().nullable(),
  a: segment,
  b: segment,
})
export type SegmentPair = z.infer<typeof segmentPair>

/**
 * What pairs of the same episodes share, by the episode of the first segment: what was collected here compares each episode with one
 * other alone. Null where an episode is not known.
 */
export function episodeGroup({ world, a, b }: SegmentPair): string | null {
  return a.origin === null || b.origin === null ? null : `${world ?? ''} ${a.origin.seed} ${a.origin.episode}`
}
