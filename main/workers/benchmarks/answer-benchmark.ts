// A published benchmark's own files against a model from here: rewards of RewardBench, vectors of MTEB's tasks.
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { embedWith, openEmbedder } from '../../core/models/embedder-folder.ts'
import { embeddingTasks } from '../../core/benchmarks/embedding-tasks.ts'
import { rewardItems, scoreRewards } from '../../core/benchmarks/reward-bench.ts'
import { listTables } from '../../core/benchmarks/places.ts'
import { readTable, type Table } from '../../core/benchmarks/tables.ts'
import { AppError } from '../../../shared/errors.ts'
import { openEngine } from '../engine/choose.ts'
import { everySoOften } from '../every-so-often.ts'
import { openRewardModel } from '../trainer/text/scoring.ts'

type Question = QuestionOf<'benchmark'>
type Say = (text: string) => void

/** Items that are scored before anybody is told. */
const CHUNK = 16

export async function answerBenchmark(question: Question, say: Say): Promise<AnswerOf<'benchmark'>> {
  const tables: Table[] = []
  for (const name of listTables(question.place)) tables.push(await readTable(question.place, name))
  if (tables.every(({ rows }) => rows.length === 0))
    throw new AppError({
      code: 'dataset-invalid',
      message: `No table was found in ${question.place}.`,
      hint: 'Its files end in .jsonl, .json, .tsv (also .gz) or .parquet.',
    })
  const engine = await openEngine(question.engine, { enginesFolder: question.enginesFolder })
  const found =
    question.model.kind === 'reward-model'
      ? await scoreItems(question, question.model, tables, say)
      : { kind: 'vectors' as const, tasks: await measureTasks(question.model, tables, say) }
  const { device } = engine
  await engine.dispose()
  return { device, found }
}

async function scoreItems(
  { engine, cacheFolder }: Question,
  { path, maxLength }: Extract<Question['model'], { kind: 'reward-model' }>,
  tables: readonly Table[],
  say: Say,
): Promise<Extract<AnswerOf<'benchmark'>['found'], { kind: 'rewards' }>> {
  const items = rewardItems(tables)
  const scorer = await openRewardModel(
    { engine, dry: false, spec: { cacheFolder, createdAtMs: Date.now(), training: { maxLength } } },
    path,
  )
  const scores: number[][] = []
  for (let at = 0; at < items.length; at += CHUNK) {
    const chunk = items.slice(at, at + CHUNK)
    const flat = await scorer.score(
      chunk.flatMap(({ prompt, completions }) => completions.map((completion) => ({ prompt, completion }))),
      () => new Promise((resolve) => setImmediate(resolve)),
    )
    let from = 0
    for (const { completions } of chunk) scores.push(flat.slice(from, (from += completions.length)))
    say(`${scores.length} of ${items.length} prompts`)
  }
  scorer.dispose()
  const { subsets, mean } = scoreRewards(items, scores)
  return {
    kind: 'rewards',
    subsets: subsets.map((one) => ({ ...one, parts: one.parts === null ? null : { ...one.parts } })),
    mean,
  }
}

async function measureTasks(
  { path, prompt }: Extract<Question['model'], { kind: 'embedder' }>,
  tables: readonly Table[],
  say: Say,
): Promise<Extract<AnswerOf<'benchmark'>['found'], { kind: 'vectors' }>['tasks']> {
  const tasks = embeddingTasks(tables)
  const opened = openEmbedder(path)
  const results = []
  for (const { type, split, texts, measure } of tasks) {
    const beganMs = Date.now()
    const { dim, vectors, cutCount } = await embedWith(opened, [...texts], {
      ...(prompt === null ? {} : { prompt }),
      onProgress: everySoOften((done) => say(`${type}, ${split}: ${done} of ${texts.length} texts`)),
    })
    const places = new Map(texts.map((text, at) => [text, at]))
    const vectorOf = (text: string): Float32Array => {
      const at = places.get(text)! // each text of a task was embedded
      return vectors.subarray(at * dim, (at + 1) * dim)
    }
    const scores = { ...measure(vectorOf) }
    results.push({ type, split, texts: texts.length, cutCount, scores, seconds: (Date.now() - beganMs) / 1000 })
  }
  opened.embedder.dispose()
  return results
}
