import { z } from 'zod'
import { actedSteps, actingPlayer, episodeStart } from '../../../shared/contract/watch.ts'
import { engineName } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'

/**
 * The app and a process in which policies act talk in lines of JSON. It keeps the worlds and policies of the last
 * episodes, answers one question after the other, and ends when its input does.
 */
export const actorStart = z.strictObject({
  /** What computes the actions of trained policies: the engine that their runs were evaluated on. */
  engine: engineName,
  threads: z.int().positive().nullable(),
  enginesFolder: z.string().nullable(),
})
export type ActorStart = z.infer<typeof actorStart>

const script = actingPlayer.options[1]

export const actorCommand = z.strictObject({
  id: z.int(),
  world: z.string(),
  policy: z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('checkpoint'), path: z.string() }), script]),
  start: episodeStart,
  from: z.int().nonnegative(),
  steps: z.int().positive(),
})
export type ActorCommand = z.infer<typeof actorCommand>

export const actorMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('acted'),
    id: z.int(),
    steps: actedSteps,
    /** The one that was opened; null where none was needed. */
    engine: engineName.nullable(),
  }),
  z.strictObject({ type: z.literal('error'), id: z.int(), error: wireError }),
])
export type ActorMessage = z.infer<typeof actorMessage>
