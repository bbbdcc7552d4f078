import { describe, expect, it } from 'vitest'
import type { PreferenceRow } from '../../shared/data-kinds.ts'
import { createBatchPlan } from '../../main/core/learn/batch-plan.ts'
import { chunkedByTokens, pairTotals } from '../../main/core/learn/batch-totals.ts'
import { disposeBatch, groupPairs, pairBatch } from '../../main/core/learn/batches.ts'
import { desirability } from '../../main/core/learn/judged-sides.ts'
import { embedSpanValues, lookedTokens } from '../../main/core/learn/embed/rationale.ts'
import type { Decoder } from '../../main/core/learn/models/decoder.ts'
import { byteTokenizer, trainBpe } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { shareRoom } from '../../main/core/learn/tokens/cut-row.ts'
import { encodeRows } from '../../main/core/learn/tokens/encode-rows.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'

const tokenizer = loadTokenizer(byteTokenizer())
const format = tagsFormat(tokenizer)

function row(prompt: string, a: string, b: string, preferenceA: number | null): PreferenceRow {
  return {
    pairId: `${prompt}|${a}|${b}`,
    split: 'train',
    prompt,
    a,
    b,
    preferenceA,
    strength: 1,
    weight: 1,
    rewardA: null,
    rewardB: null,
    labelCount: 1,
  }
}

describe('a pair whose answers are both bad', () => {
  const { pairs } = encodeRows([{ ...row('p', 'aa', 'b', 1), weight: 2 }, row('p', 'cc', 'dd', null)], format, 64)

  it('keeps its sides, compares nothing and says of each that it is bad', () => {
    const batch = pairBatch(pairs, tokenizer.padId, null, null)
    expect(pairs[1]).toMatchObject({ chosen: { text: 'cc' }, preference: 0.5, judged: { chosen: 0, rejected: 0 } })
    expect([...batch.judged!.compared.dataSync()]).toEqual([1, 0])
    expect([...desirability(batch, true).dataSync()]).toEqual([1, 0, 0, 0])
    const before = tf.memory().numTensors
    disposeBatch(pairBatch(pairs, tokenizer.padId, null, null))
    expect(tf.memory().numTensors).toBe(before)
    disposeBatch(batch)
  })

  it('counts among what is judged, and not among what is compared', () => {
    expect(pairTotals(pairs, findTextAlgorithm('kto'), {}).judged).toEqual({ compared: 2, good: 0, bad: 2 })
    expect(pairTotals(pairs.slice(0, 1), findTextAlgorithm('kto'), {})).not.toHaveProperty('judged')
    expect(pairBatch(pairs.slice(0, 1), tokenizer.padId, null, null).judged).toBeNull()
  })
})

describe('encodeRows', () => {
  it('turns the preferred side to chosen, and keeps a tie as it stands', () => {
    const { pairs } = encodeRows([row('p', 'aa', 'b', 0.25), row('p', 'aa', 'b', 0.5)], format, 64)
    expect(pairs.map((pair) => [pair.chosen.text, pair.preference, pair.swapped])).toEqual([
      ['b', 0.75, true],
      ['aa', 0.5, false],
    ])
  })

  it('ends every completion, also an empty one', () => {
    const [pair] = encodeRows([row('p', '', 'b', 1)], format, 64).pairs
    expect(pair?.chosen.completion).toEqual([tokenizer.endId])
    expect(pair?.rejected.completion.at(-1)).toBe(tokenizer.endId)
  })

  it('keeps what looks like a special token as text', () => {
    const [pair] = encodeRows([row('p', '<|endoftext|>', 'b', 1)], format, 64).pairs
    expect(pair?.chosen.completion.filter((id) => id === tokenizer.endId)).toHaveLength(1)
  })

  it('cuts prompts at their start and completions at their end, and says how often', () => {
    expect(shareRoom(4, 2, 4)).toEqual({ prompt: 2, completion: 2 })
    expect(shareRoom(1, 5, 4)).toEqual({ prompt: 1, completion: 3 })
    expect(shareRoom(5, 4, 4)).toEqual({ prompt: 2, completion: 2 })
    const { prompt, completion } = format.row('abcde', 'fghi', 4)
    expect([tokenizer.decode(prompt, { skipSpecial: false }), tokenizer.decode(completion)]).toEqual([
      'e<|endoftext|>',
      'fg',
    ])
    const encoded = encodeRows([row('a long prompt', 'a long answer', 'x', 1)], format, 12)
    expect(encoded.cutShare).toBe(1)
    expect(encoded.longest).toBeLessThanOrEqual(12)
  })
})

describe('pairBatch', () => {
  it('pads on the right, marks completions, and lays reference log-probs on their tokens', () => {
    const { pairs } = encodeRows([row('p', 'ab', 'c', 1)], format, 64)
    const batch = pairBatch(pairs, tokenizer.padId, [{ chosen: 2, rejected: -1 }], (one) =>
      one.completion.map((_id, at) => -1 - at),
    )
    const [rows, time] = batch.tokens.ids.shape
    expect([rows, time]).toEqual([2, 8])
    expect(batch.tokens.attention.arraySync()).toEqual([
      [1, 1, 1, 1, 1, 0, 0, 0],
      [1, 1, 1, 1, 0, 0, 0, 0],
    ])
    expect(batch.tokens.completion.arraySync()).toEqual([
      [0, 0, 1, 1, 1, 0, 0, 0],
      [0, 0, 1, 1, 0, 0, 0, 0],
    ])
    expect(batch.reference?.arraySync()).toEqual([
      [0, -1, -2, -3, 0, 0, 0],
      [0, -1, -2, 0, 0, 0, 0],
    ])
    expect(batch.rewardChosen.arraySync()).toEqual([2])
    const before = tf.memory().numTensors
    disposeBatch(batch)
    expect(before - tf.memory().numTensors).toBe(9)
  })
})

describe('groupPairs', () => {
  it('takes each completion of a prompt once, with the mean of its rewards', () => {
    const { pairs } = encodeRows([row('p', 'a', 'b', 1), row('p', 'a', 'c', 1), row('q', 'x', 'x', 0.5)], format, 64)
    const groups = groupPairs(
      pairs,
      [
        { chosen: 1, rejected: 0 },
        { chosen: 3, rejected: -1 },
        { chosen: 0, rejected: 0 },
      ],
      4,
    )
    expect(groups.map((group) => [group.promptText, group.completions.map((one) => one.text), group.rewards])).toEqual([
      ['p', ['a', 'b', 'c'], [2, 0, -1]],
    ])
  })
})

describe('createBatchPlan', () => {
  const lengths = Array.from({ length: 53 }, (_none, at) => 1 + ((at * 37) % 50))

  it('shows every item once a pass', () => {
    const plan = createBatchPlan({ lengths, batchSize: 7, seed: 3 })
    const seen = Array.from({ length: 53 }, () => plan.next()).flat()
    for (const item of lengths.keys()) expect(seen.filter((one) => one === item)).toHaveLength(7)
    expect(plan.epoch).toBe(7)
  })

  it('goes on from a state with the very same batches', () => {
    const plan = createBatchPlan({ lengths, batchSize: 4, seed: 9 })
    for (let step = 0; step < 31; step += 1) plan.next()
    const resumed = createBatchPlan({ lengths, batchSize: 4, seed: 9 }, structuredClone(plan.state()))
    for (let step = 0; step < 40; step += 1) expect(resumed.next()).toEqual(plan.next())
  })

  it('differs between seeds and repeats for one', () => {
    const first = (seed: number): readonly number[] => createBatchPlan({ lengths, batchSize: 8, seed }).next()
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
  })
})

describe('trainBpe', () => {
  it('learns the commonest pairs, whatever the order of the texts', () => {
    const texts = ['low lower lowest', 'low low', 'newer wider', 'new new']
    const json = trainBpe(texts, 275)
    expect(trainBpe(texts.toReversed(), 275)).toEqual(json)
    const trained = loadTokenizer(json)
    expect(trained.decode(trained.encode('lowest 日本 🙂'))).toBe('lowest 日本 🙂')
    expect(trained.encode(' low').length).toBeLessThan(4)
  })
})

it('texts are cut into passes of so many rows and so many tokens; one that is too long stands alone', async () => {
  expect(chunkedByTokens([3, 3, 3, 9, 1, 1, 1, 1], 3, 8, (one) => one)).toEqual([[3, 3], [3], [9], [1, 1, 1], [1]])
  // A pass is as large as memory was foreseen for, however long the texts.
  const passes: number[] = []
  const decoder = {
    config: { hidden: 2 },
    hiddenStates({ ids }: { readonly ids: Int32Array }) {
      passes.push(ids.length)
      return tf.ones([ids.length, 2])
    },
  } as unknown as Decoder
  const rows = Array.from({ length: 5 }, (_none, row) => ({ ids: Array.from({ length: 3000 }, () => row), from: 0 }))
  const done: number[] = []
  const vectors = await embedSpanValues(decoder, rows, async (count) => void done.push(count))
  expect(done).toEqual([2, 4, 5])
  expect([passes, vectors.map((one) => Math.round(one[0]!))]).toEqual([
    [6000, 6000, 3000],
    [1, 1, 1, 1, 1],
  ])
  expect(Math.max(...passes)).toBeLessThanOrEqual(lookedTokens(3000))
  expect([lookedTokens(10), lookedTokens(10_000)]).toEqual([320, 10_000])
})
