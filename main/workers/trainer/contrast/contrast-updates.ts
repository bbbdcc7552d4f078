import type { ContrastItem, ContrastUpdate } from '../../../core/learn/embed/contrast.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { minimizeParts, minimizeWhole, type Update } from '../minimize.ts'
import { methodContext, type ContrastSession } from './contrast-session.ts'

/** The method's update on these items. Dropout is drawn from seed, step and part. */
export async function updateOn(
  session: ContrastSession,
  items: readonly ContrastItem[],
  step: number,
): Promise<Update & ContrastUpdate> {
  const { context, method, decoder, optimizer } = session
  const { training, seed } = context.spec
  const random = createRandom(seed).fork('dropout').fork(String(step))
  const dropOut = (part: number): void =>
    decoder.setDropout({ rate: training.dropout, random: random.fork(String(part)) })
  let done: Update | null = null
  const descend = async (update: Promise<Update>): Promise<Update['metrics']> => {
    done = await update.finally(() => decoder.setDropout(null))
    return done.metrics
  }
  const { metrics, tokens } = await method.update({
    ...methodContext(session, step),
    items,
    microBatchSize: training.microBatchSize,
    minimizeParts: (parts, loss) => descend(minimizeParts(decoder, optimizer, training, parts, loss, dropOut)),
    minimizeWhole: (loss) =>
      descend(
        minimizeWhole(decoder, optimizer, training, () => {
          dropOut(0)
          return loss()
        }),
      ),
  })
  const last = done as Update | null // assigned in the closure
  return { metrics, tokens, gradNorm: last?.gradNorm ?? 0, learningRate: last?.learningRate ?? 0 }
}
