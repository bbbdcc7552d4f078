import type { ContrastItem, ContrastUpdate } from '../../../core/learn/embed/contrast.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { embedSpans } from '../../../core/learn/embed/rationale.ts'
import { minimizeParts, minimizeVectors, type Update } from '../minimize.ts'
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
    minimizeVectors: (pieces, loss) =>
      descend(
        minimizeVectors(
          decoder,
          optimizer,
          training,
          {
            pieces,
            embed(rows, piece) {
              dropOut(piece)
              return embedSpans(decoder, rows)
            },
            variables: Object.values(decoder.variables),
            breathe: () => context.breathe(),
          },
          loss,
        ),
      ),
  })
  const last = done as Update | null // assigned in the closure
  return { metrics, tokens, gradNorm: last?.gradNorm ?? 0, learningRate: last?.learningRate ?? 0 }
}
