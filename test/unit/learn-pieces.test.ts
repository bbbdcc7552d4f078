import { expect, test } from 'vitest'
import { variableGradients } from '../../main/core/learn/gradients.ts'
import { presetConfig, createDecoder } from '../../main/core/learn/models/decoder.ts'
import { decoderEmbedder } from '../../main/core/learn/models/embedder.ts'
import { piecesOf, stagedGradients, stagedVectors, type Staged } from '../../main/core/learn/models/pieces.ts'
import { textTokens } from '../../main/core/learn/embed/embed-texts.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

await openEngine('wasm')
const embedder = decoderEmbedder(createDecoder(presetConfig('nano', 40), createRandom(4)), {
  pooling: ['mean'],
  dense: [],
  normalize: true,
})
const variables = Object.values(embedder.variables)
const rows = Array.from({ length: 11 }, (_none, row) =>
  Array.from({ length: 3 + (row % 5) }, (_unused, at) => (7 * row + at) % 40),
)
const lengthOf = (row: readonly number[]): number => row.length
const embed = (piece: readonly (readonly number[])[]): tf.Tensor2D => embedder.embed(textTokens(piece, 0))

/** Every vector against every other, as with in-batch negatives: no part of the loss is of one row alone. */
const loss = (vectors: tf.Tensor2D): tf.Scalar =>
  tf.neg(tf.sum(tf.mul(tf.logSoftmax(tf.matMul(vectors, vectors, false, true)), tf.eye(rows.length)))) as tf.Scalar

test('vectors in pieces have the value and the gradients of the whole, and leave no tensor', async () => {
  let breaths = 0
  const staged = (pieces: Staged<readonly number[]>['pieces']): Staged<readonly number[]> => ({
    pieces,
    embed,
    variables,
    breathe: async () => void (breaths += 1),
  })
  const before = tf.memory().numTensors
  const whole = variableGradients(() => loss(embed(rows)), variables)
  const kept = tf.memory().numTensors - before
  for (const pieces of [[rows], [rows.slice(0, 4), rows.slice(4, 5), rows.slice(5)]]) {
    const vectors = await stagedVectors(staged(pieces))
    const found = await stagedGradients(staged(pieces), vectors, loss)
    vectors.dispose()
    expect(tf.memory().numTensors - before).toBe(2 * kept)
    expect(found.value.dataSync()[0]).toBeCloseTo(whole.value.dataSync()[0]!, 5)
    expect(Object.keys(found.grads).toSorted()).toEqual(Object.keys(whole.grads).toSorted())
    for (const [name, gradient] of Object.entries(whole.grads)) {
      const [one, other] = [gradient.dataSync<'float32'>(), found.grads[name]!.dataSync<'float32'>()]
      one.forEach((value, at) => expect(other[at]).toBeCloseTo(value, 5))
    }
    tf.dispose([found.value, ...Object.values(found.grads)])
  }
  expect(breaths).toBe(1 + 2 * 3)
  tf.dispose([whole.value, ...Object.values(whole.grads)])
  expect(tf.memory().numTensors).toBe(before)
})

test('rows are cut by what a pass over them keeps, in their order; one that is too long stands alone', () => {
  const shapes = { 'model.layers.0.mlp.up_proj.weight': [30, 20], 'model.embed_tokens.weight': [10_000, 20] }
  const perToken = 4 * 50
  expect(piecesOf(rows, lengthOf, shapes, 10 * perToken).map((piece) => piece.map((row) => row.length))).toEqual([
    [3, 4],
    [5],
    [6],
    [7, 3],
    [4, 5],
    [6],
    [7, 3],
  ])
  expect(piecesOf(rows, lengthOf, shapes, perToken)).toHaveLength(rows.length)
  expect(piecesOf(rows, lengthOf, shapes)).toHaveLength(1)
  expect(piecesOf([], lengthOf, shapes)).toEqual([[]])
})
