import { z } from 'zod'
import { engineName, runId } from '../domain.ts'
import { call } from './define.ts'

/** Who acts. */
export const actingPlayer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('run'),
    runId,
    /** `best`: what its validation side chose; a number: of that step. */
    checkpoint: z.union([z.enum(['best', 'last']), z.int().nonnegative()]),
  }),
  z.strictObject({
    kind: z.literal('script'),
    script: z.enum(['expert', 'weak', 'random']),
    /** Deviation of the noise on actions. */
    noise: z.number().min(0).max(10).default(0),
  }),
])
export type ActingPlayer = z.infer<typeof actingPlayer>

/** Where an episode begins, as an evaluation counts its episodes. */
export const episodeStart = z.strictObject({
  seed: z.int().nonnegative(),
  episode: z.int().nonnegative().default(0),
})

/** Steps of an episode in their order; every list has one entry a step. */
export const actedSteps = z.strictObject({
  /** The first one's number in the episode. */
  from: z.int().nonnegative(),
  /** Before each step, all that is needed to draw it [step][qpos] */
  qpos: z.array(z.array(z.number())),
  /** As the policy gave them [step][action] */
  actions: z.array(z.array(z.number())),
  rewards: z.array(z.number()),
  successes: z.array(z.boolean()),
  /** The episode has no step behind these. */
  ended: z.boolean(),
})
export type ActedSteps = z.infer<typeof actedSteps>

export const watchCalls = {
  /** Whom a run's policy can be set beside: other runs of its world, the scripts of the world, and who acted in its data. */
  'watch.players': call(
    z.strictObject({ runId }),
    z.array(z.strictObject({ title: z.string(), group: z.enum(['runs', 'scripts', 'data']), player: actingPlayer })),
  ),
  /**
   * Some steps of an episode, acted in a process of its own that is kept for the next ones. The same start and player give the same steps,
   * and a run's policy those that its evaluation counts.
   */
  'watch.act': call(
    z.strictObject({
      world: z.string(),
      player: actingPlayer,
      start: episodeStart,
      from: z.int().nonnegative(),
      steps: z.int().min(1).max(256),
    }),
    actedSteps.extend({
      /** Step of the checkpoint that acted; null of a script. */
      checkpointStep: z.int().nullable(),
      /** What computed its actions; null of a script. */
      engine: engineName.nullable(),
    }),
  ),
  /** Nobody watches any more: the processes end. */
  'watch.end': call(z.strictObject({}), z.null()),
} as const
