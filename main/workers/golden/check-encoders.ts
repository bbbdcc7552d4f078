import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { embedTexts, textTokens } from '../../core/learn/embed/embed-texts.ts'
import { encoderFrom } from '../../core/learn/models/encoder.ts'
import type { TextEmbedder } from '../../core/learn/models/embedder.ts'
import { packTokens } from '../../core/learn/models/packing.ts'
import { decoderFrom } from '../../core/learn/models/decoder.ts'
import { loadTextTokenizer } from '../../core/learn/tokens/text-tokenizer.ts'
import { tf } from '../../core/learn/tf.ts'
import { openEmbedder, type OpenedEmbedder } from '../../core/models/embedder-folder.ts'
import { openAnyModel } from '../../core/models/folder.ts'
import { compareValues, EXACT, SINGLE_LOOSE, type Comparison, type Tolerance } from './compare.ts'
import { descendOnce } from './descend-once.ts'
import type { GoldenResult } from './check.ts'

const row = z.array(z.number())
const matrix = z.array(row)
const vectors = z.object({
  texts: z.array(z.string()),
  input_ids: matrix,
  hidden_rows: row,
  last_hidden_states: z.array(matrix),
  token_types: z.object({ input_ids: row, types: row, last_hidden_states: matrix }).optional(),
  embeddings: matrix,
  targets: matrix,
  loss: z.number(),
  grad_l2_norm: z.record(z.string(), z.number()),
  grad_first4: z.record(z.string(), row),
  parameters: z.record(z.string(), row),
  learning_rate: z.number(),
  loss_after_sgd: z.number(),
})
type Vectors = z.output<typeof vectors>
const tokenizerVectors = z.object({
  vocab_size: z.int(),
  pad_id: z.int(),
  cases: z.array(z.object({ text: z.string(), ids: row, framed: row, framed_at_most_7: row })),
})

const STATES: Tolerance = { absolute: 2e-4, relative: 0 }
const EMBEDDINGS: Tolerance = { absolute: 2e-5, relative: 2e-5 }
const NORMS: Tolerance = { absolute: 1e-6, relative: 1e-3 }

type Judged = Omit<GoldenResult, 'file'>

/** The folder `models-encoders/`: folders of models that embed, and `<name>.tokenizer.json` with `<name>.vectors.json`. */
export async function checkEncoderFolder(folder: string): Promise<GoldenResult[]> {
  const results: GoldenResult[] = []
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = `${path.basename(folder)}/${entry.name}`
    const at = path.join(folder, entry.name)
    const check = entry.isDirectory() ? checkEmbedder : entry.name.endsWith('.vectors.json') ? checkTextTokenizer : null
    if (check === null) continue
    try {
      results.push(...(await check(at)).map((result) => ({ ...result, file })))
    } catch (error) {
      results.push({
        file,
        caseName: '',
        status: 'failed',
        detail: error instanceof Error ? error.message : String(error),
        compared: 0,
      })
    }
  }
  return results
}

function judge(caseName: string, comparisons: readonly Comparison[]): Judged {
  const detail = comparisons.flatMap(({ worst }) => (worst === null ? [] : [worst])).join('; ')
  return {
    caseName,
    status: detail === '' ? 'passed' : 'failed',
    detail,
    compared: comparisons.reduce((sum, { compared }) => sum + compared, 0),
  }
}

async function checkTextTokenizer(file: string): Promise<Judged[]> {
  const expected = tokenizerVectors.parse(JSON.parse(await readFile(file, 'utf8')))
  const tokenizer = loadTextTokenizer(
    JSON.parse(await readFile(file.replace('.vectors.json', '.tokenizer.json'), 'utf8')),
  )
  const inner = (ids: readonly number[]): number[] => ids.slice(1, -1) // between [CLS] and [SEP]
  return [
    judge('vocabulary', [
      compareValues('vocab_size', tokenizer.vocabSize, expected.vocab_size, EXACT),
      compareValues('pad_id', tokenizer.padId, expected.pad_id, EXACT),
    ]),
    judge(
      'ids',
      expected.cases.flatMap(({ text, ids, framed, framed_at_most_7: cut }) => {
        const name = JSON.stringify(text.slice(0, 24))
        const whole = tokenizer.encode(text).ids
        return [
          compareValues(name, inner(whole), ids, EXACT),
          compareValues(`${name} framed`, whole, framed, EXACT),
          compareValues(`${name} cut`, tokenizer.encode(text, 7).ids, cut, EXACT),
        ]
      }),
    ),
  ]
}

async function checkEmbedder(folder: string): Promise<Judged[]> {
  const expected = vectors.parse(JSON.parse(await readFile(path.join(folder, 'vectors.json'), 'utf8')))
  const opened = openEmbedder(folder, { trainable: () => true })
  const { embedder, tokenizer, maxTokens } = opened
  try {
    const results = [
      judge('parameters', [compareValues('parameters', shapesOfVariables(embedder), expected.parameters, EXACT)]),
    ]
    const ids = expected.texts.map((text) => tokenizer.encode(text, maxTokens ?? undefined).ids)
    results.push(judge('input_ids', [compareValues('input_ids', ids, expected.input_ids, EXACT)]))
    results.push(judge('last_hidden_states', await checkStates(folder, expected)))
    const { dim, vectors: flat } = await embedTexts(embedder, tokenizer, expected.texts, { maxTokens, batchTokens: 60 })
    const alone = expected.texts.map((_text, at) => [...flat.subarray(at * dim, (at + 1) * dim)])
    results.push(
      judge('embeddings', [
        compareValues('embeddings', await embedRows(embedder, expected.input_ids), expected.embeddings, EMBEDDINGS),
        compareValues('embeddings.batched_by_length', alone, expected.embeddings, EMBEDDINGS),
      ]),
    )
    results.push(judge('gradients', await checkGradients(opened, expected)))
    return results
  } finally {
    embedder.dispose()
  }
}

function shapesOfVariables({ variables }: TextEmbedder): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, variable.shape]))
}

/** One padded batch of all rows. */
async function embedRows(embedder: TextEmbedder, ids: readonly (readonly number[])[]): Promise<number[][]> {
  const rows = tf.tidy(() => embedder.embed(textTokens(ids, 0)))
  const values = await rows.array()
  rows.dispose()
  return values
}

/** Before pooling: of the rows of a padded batch, and with segments where the family has them. */
async function checkStates(folder: string, expected: Vectors): Promise<Comparison[]> {
  const model = openAnyModel(folder, true)
  const network =
    model.kind === 'encoder'
      ? encoderFrom(model.config, model, { trainable: () => false })
      : decoderFrom(model.config, model, { trainable: () => false })
  model.close()
  tf.engine().startScope()
  try {
    const tokens = textTokens(expected.input_ids, 0)
    if (!('pack' in network)) {
      const packing = packTokens(tokens)
      const states = await network.hiddenStates(packing).array()
      const found = expected.hidden_rows.map((at) =>
        expected.input_ids[at]!.map((_id, t) => states[packing.members[packing.offsets[at]! + t]!]!),
      )
      return [compareValues('last_hidden_states', found, expected.last_hidden_states, STATES)]
    }
    const states = await network.lastHiddenStates(tokens).array()
    const found = expected.hidden_rows.map((at) => states[at]!.slice(0, expected.input_ids[at]!.length))
    const comparisons = [compareValues('last_hidden_states', found, expected.last_hidden_states, STATES)]
    const { token_types: segments } = expected
    if (segments === undefined) return comparisons
    const typed = await network
      .lastHiddenStates(textTokens([segments.input_ids], 0), tf.tensor2d([segments.types], undefined, 'int32'))
      .array()
    return [...comparisons, compareValues('token_types', typed[0]!, segments.last_hidden_states, STATES)]
  } finally {
    tf.engine().endScope()
    network.dispose()
  }
}

/** Σ t·e + ½ Σ_r (e_0 · e_r)², its gradients, and its value after one step of plain gradient descent. */
async function checkGradients({ embedder }: OpenedEmbedder, expected: Vectors): Promise<Comparison[]> {
  const tokens = textTokens(expected.input_ids, 0)
  const targets = tf.tensor2d(expected.targets)
  const { before, after, norms, firsts } = await descendOnce(
    () => {
      const rows = embedder.embed(tokens)
      const meetings = tf.matMul(rows, tf.slice(rows, [0, 0], [1, embedder.dim]), false, true)
      return tf.add(tf.sum(tf.mul(targets, rows)), tf.mul(tf.sum(tf.square(meetings)), 0.5)) as tf.Scalar
    },
    embedder.variables,
    expected.learning_rate,
  )
  tf.dispose([tokens.ids, tokens.attention, targets])
  const largest = Math.max(...Object.values(expected.grad_l2_norm))
  return [
    compareValues('loss', before, expected.loss, SINGLE_LOOSE),
    // A key's bias moves no attention: its gradient is a sum that cancels, and 0 up to rounding.
    compareValues('grad_l2_norm', norms, expected.grad_l2_norm, { ...NORMS, absolute: 1e-6 * largest }),
    compareValues('grad_first4', firsts, expected.grad_first4, { absolute: 1e-5 * largest, relative: 1e-3 }),
    compareValues('loss_after_sgd', after, expected.loss_after_sgd, SINGLE_LOOSE),
  ]
}
