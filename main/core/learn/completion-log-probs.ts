import { sequenceLength, tokenBatch } from './batches.ts'
import type { Network } from './define.ts'
import type { EncodedCompletion } from './tokens/encode-rows.ts'
import { tf } from './tf.ts'

/** Of one forward pass outside of training: as much as keeps a processor busy, whatever the micro-batch. */
const ROWS_PER_PASS = 32
const TOKENS_PER_PASS = 1024

/** Rows of like length stand together, so that little is padded. → indices */
export function passes(rows: readonly EncodedCompletion[]): number[][] {
  const order = rows
    .map((_row, index) => index)
    .sort((a, b) => sequenceLength(rows[a]!) - sequenceLength(rows[b]!) || a - b) // indices of rows
  const result: number[][] = []
  for (const index of order) {
    const last = result.at(-1)
    const longest = sequenceLength(rows[index]!) // so far: they are sorted
    if (last === undefined || last.length >= ROWS_PER_PASS || (last.length + 1) * longest > TOKENS_PER_PASS)
      result.push([index])
    else last.push(index)
  }
  return result
}

/** log π of every completion token, dropout off; 0 for those that do not count. @returns for each row [completion token] */
export async function completionLogProbs(
  network: Network,
  rows: readonly EncodedCompletion[],
  padId: number,
  breathe: () => Promise<void>,
): Promise<Float32Array[]> {
  const result: Float32Array[] = rows.map(() => new Float32Array(0))
  for (const pass of passes(rows)) {
    const picked = pass.map((index) => rows[index]!) // indices of rows
    const tokens = tokenBatch(picked, padId)
    const columns = tokens.ids.shape[1] - 1
    const logProbs = network.tokenLogProbs(tokens)
    const values = await logProbs.data<'float32'>()
    picked.forEach((row, at) => {
      const first = at * columns + row.prompt.length - 1
      result[pass[at]!] = values.slice(first, first + row.completion.length)
    })
    tf.dispose([logProbs, tokens.ids, tokens.attention, tokens.completion])
    await breathe()
  }
  return result
}
