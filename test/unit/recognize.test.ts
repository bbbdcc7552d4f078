import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recognize } from '../../main/core/imports/recognize.ts'
import type { DataKind } from '../../shared/data-kinds.ts'

const root = path.resolve(import.meta.dirname, '../..')
const fixtures = path.join(root, 'test/fixtures')
const cranfield = path.join(root, 'resources/samples/cranfield')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab-recognize-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

/** What each published file is, and a part of the reason that is said. */
const FILES: readonly (readonly [name: string, kind: DataKind | null, because: string])[] = [
  ['trl/standard_explicit.jsonl', 'response-pairs', 'its rows have prompt, chosen and rejected'],
  ['trl/conversational_implicit.jsonl', 'response-pairs', 'its rows have chosen and rejected'],
  ['hh-rlhf/train.jsonl', 'response-pairs', 'chosen and rejected'],
  ['arena/battles.jsonl', 'response-pairs', 'conversation_a and conversation_b, and winner says which is better'],
  ['ultrafeedback_binarized_h4/train_prefs.jsonl', 'response-pairs', 'prompt, chosen and rejected'],
  ['ultrafeedback_binarized_trl/train.jsonl', 'response-pairs', 'chosen and rejected'],
  ['argilla/flat_rows.json', 'response-pairs', 'prompt with two answers, response1 and response2'],
  ['summarize_from_feedback/comparisons_batch.json', 'response-pairs', 'choice says which is better'],
  ['benchmarks/reward-bench-2/test.jsonl', 'response-pairs', 'prompt, chosen and rejected'],
  ['trl/unpaired.jsonl', 'unpaired-responses', 'completion, to its prompt, and label says whether it is good'],
  ['trl/prompt_completion.jsonl', 'unpaired-responses', 'nothing says whether it is good'],
  ['trl/language_modeling.jsonl', 'contrast-groups', 'its rows have text'],
  ['texts/supervised.jsonl', 'contrast-groups', 'its rows have query, positive and negative'],
  ['texts/unsupervised.txt', 'contrast-groups', 'it holds one text a line'],
  ['texts/triplet.jsonl', 'contrast-groups', 'anchor, positive and negative'],
  ['texts/n_tuple.jsonl', 'contrast-groups', 'anchor, positive, negative_1 and negative_2'],
  ['texts/st_pairs.jsonl', 'contrast-groups', 'sentence1, sentence2 and score'],
  ['texts/sts-train.csv', 'contrast-groups', 'sentence1, sentence2 and score'],
  ['texts/glue_train.tsv', 'contrast-groups', 'sentence1, sentence2 and score'],
  ['benchmarks/mteb/pairs/test.jsonl', 'contrast-groups', 'sentence1, sentence2 and labels'],
  ['benchmarks/mteb/reranking/test.jsonl', 'contrast-groups', 'query, positive and negative'],
  ['msmarco/triples.train.small.tsv', 'contrast-groups', 'how they belong together must be said'],
  ['beir_tiny', 'rankings', 'a corpus, queries and judgments (test and train), as a BEIR set does'],
  ['msmarco', 'rankings', 'a collection, queries and judgments (train), as MS MARCO’s tables do'],
  ['letor', 'rankings', 'train.txt'],
  ['letor/train.txt', 'rankings', 'a grade, a query (qid:…) and numbered features'],
  ['cpl/new_format.npz', 'segment-pairs', 'the arrays obs, action, reward and rl_sum'],
  ['cpl/old_format.npz', 'segment-pairs', 'obs_1, obs_2 and label'],
  ['cpl/replay_buffer.npz', 'segment-pairs', 'steps in a row'],
  ['trec/qrels.trec', null, 'TREC’s judgments'],
  ['trec/run.trec', null, 'TREC’s rankings'],
  ['msmarco/qidpidtriples.train.full.2.tsv', null, 'triples of ids'],
  ['beir_tiny/qrels/test.tsv', null, 'BEIR’s judgments'],
  ['trl/prompt_only.jsonl', null, 'its only column, prompt'],
  ['trackers/wandb.csv', null, 'its columns, Step'],
]

describe('what a file is', () => {
  test.each(FILES)('%s', async (name, kind, because) => {
    const found = await recognize(path.join(fixtures, name))
    expect([found.kind, found.because]).toEqual([kind, expect.stringContaining(because)])
    if (kind === null) expect(found.hint).not.toBe('')
  })

  test('no fixture of a kind that is read is left without a word', async () => {
    const kinds = new Map(FILES.map(([name, kind]) => [name, kind]))
    const listedFolders = ['trl', 'texts', 'arena', 'hh-rlhf', 'letor', 'trec', 'cpl', 'msmarco']
    for (const name of listedFolders)
      for (const file of readdirSync(path.join(fixtures, name)))
        if (!kinds.has(`${name}/${file}`)) await recognize(path.join(fixtures, name, file))
  })

  test('packed, under another name, with a mark before its first byte: the content tells, not the name', async () => {
    const rows = '{"prompt":"p","chosen":"a","rejected":"b"}\n'
    expect((await recognize(write('packed.bin', gzipSync(rows)))).kind).toBe('response-pairs')
    expect((await recognize(write('pairs.txt', `\uFEFF${rows}`))).kind).toBe('response-pairs')
    expect((await recognize(write('features.csv', '1 qid:7 1:0.5 2:0.25\n0 qid:7 2:1\n'))).kind).toBe('rankings')
    expect((await recognize(write('train.txt', 'A heron stands still.\nA cat does not.\n'))).kind).toBe(
      'contrast-groups',
    )
    cpSync(path.join(fixtures, 'cpl/new_format.npz'), path.join(folder, 'arrays.zip'))
    expect((await recognize(path.join(folder, 'arrays.zip'))).kind).toBe('segment-pairs')
  })

  test('where two kinds fit, the other is named', async () => {
    const { kind, others } = await recognize(path.join(fixtures, 'texts/st_pairs.jsonl'))
    expect([kind, others.map((one) => one.kind)]).toEqual(['contrast-groups', ['response-pairs']])
    expect(others[0]?.because).toContain('what is the prompt must be said')
    const qa = await recognize(write('qa.jsonl', '{"question":"q","answer":"a"}\n'))
    expect([qa.kind, qa.others.map((one) => one.kind)]).toEqual(['unpaired-responses', ['contrast-groups']])
  })

  test('one broken row of many changes nothing', async () => {
    const rows = Array.from({ length: 9 }, (_none, index) => `{"query":"q${index}","positive":"p","negative":"n"}`)
    expect((await recognize(write('broken.jsonl', ['{"query":', ...rows].join('\n')))).kind).toBe('contrast-groups')
    const features = Array.from({ length: 9 }, (_none, index) => `${index % 2} qid:1 1:${index}`)
    expect((await recognize(write('broken.txt', ['nonsense here', ...features].join('\n')))).kind).toBe('rankings')
  })

  test('our own export of segments', async () => {
    const segment = {
      observations: [[1]],
      actions: [[0]],
      rewards: [0],
      qpos: null,
      score: null,
      behaviour: null,
      origin: null,
    }
    const line = JSON.stringify({ id: 'pair-1', world: null, a: segment, b: segment, preferred: 'a', judge: 'labels' })
    const found = await recognize(write('segments.jsonl', `${line}\n`))
    expect([found.kind, found.because]).toEqual(['segment-pairs', expect.stringContaining('two segments, a and b')])
    expect(found.others).toEqual([])
  })
})

describe('what a folder is', () => {
  test('one file of data stands for its folder; of several each can be chosen', async () => {
    const only = write('one/pairs.jsonl', '{"prompt":"p","chosen":"a","rejected":"b"}\n')
    write('one/README.md', 'About the pairs.')
    expect(await recognize(path.dirname(only))).toMatchObject({ kind: 'response-pairs', path: only, isFolder: false })
    const train = write('two/train.jsonl', '{"text":"a b"}\n')
    write('two/test.jsonl', '{"text":"c d"}\n')
    expect(await recognize(path.dirname(train))).toMatchObject({ kind: null, files: ['test.jsonl', 'train.jsonl'] })
    mkdirSync(path.join(folder, 'none'))
    expect(await recognize(path.join(folder, 'none'))).toMatchObject({
      kind: null,
      because: 'it holds no file of data',
    })
  })

  test('a folder whose train.txt holds sentences is no set of features', async () => {
    write('grace/train.txt', 'A heron stands still.\nA cat does not.\n')
    expect((await recognize(path.join(folder, 'grace'))).kind).toBe('contrast-groups')
  })

  test('a part of a set by itself points to its folder', async () => {
    const { kind, hint } = await recognize(path.join(cranfield, 'corpus.jsonl'))
    expect([kind, hint]).toEqual(['contrast-groups', expect.stringContaining(cranfield)])
    expect(await recognize(cranfield)).toMatchObject({ kind: 'rankings', isFolder: true })
  })
})

test('what cannot be read is an error with a name', async () => {
  await expect(recognize(path.join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'file-not-found' })
  await expect(recognize(write('empty.jsonl', ''))).rejects.toMatchObject({ code: 'dataset-invalid' })
  await expect(recognize(write('noise.bin', Uint8Array.of(1, 0, 2)))).rejects.toMatchObject({ code: 'format-unknown' })
  await expect(recognize(write('half.npz', 'PK\u0003\u0004rest'))).rejects.toMatchObject({ code: 'dataset-invalid' })
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n'
  for (const name of ['train.parquet', 'train.jsonl'])
    await expect(recognize(write(name, pointer))).rejects.toMatchObject({
      code: 'format-unknown',
      hint: expect.stringContaining('git lfs pull'),
    })
  const parquet = readFileSync(path.join(fixtures, 'benchmarks/parquet/data/test-00000-of-00001.parquet'))
  for (const cut of [4, 9, parquet.length - 20])
    await expect(recognize(write('cut.parquet', parquet.subarray(0, cut)))).rejects.toMatchObject({
      code: 'dataset-invalid',
      message: expect.stringContaining('cannot be read as Parquet'),
    })
})
