// The first queries of judged lists, without the documents: a corpus may be larger than memory.
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { ListPreview } from '../../../shared/contract/imports.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { Judgment, Query, Row } from './collection.ts'
import { isBeirFolder, QUERY_FILES, readJudgments, readQueries, splitsOf } from './read-beir.ts'
import { readFeatureRows } from './read-letor.ts'
import { isMarcoFolder, readMarcoJudgments, readMarcoQueries, tablesOf } from './read-msmarco.ts'
import { featureFiles, furtherOut, requireRankings, splitOfName } from './to-dataset.ts'

/** MS MARCO's training judgments are half a million. */
const MOST_JUDGMENTS = 1_000_000
/** Queries that are looked through for judged ones. */
const MOST_QUERIES = 200_000
/** Rows of a feature file. */
const MOST_ROWS = 5000
const MOST_PROBLEMS = 20

type Rows<T> = AsyncIterable<readonly Row<T>[]>

/** @param limit queries   @throws AppError as `readRankings`, where there is nothing to read */
export async function previewRankings(source: string, limit: number): Promise<ListPreview> {
  requireRankings(source)
  if (statSync(source).isDirectory() && isBeirFolder(source)) {
    const queries = QUERY_FILES.map((name) => path.join(source, name)).find((file) => existsSync(file))!
    return previewSet('beir', limit, [readQueries(queries)], partsOf(splitsOf(source)), (name) =>
      readJudgments(path.join(source, 'qrels', `${name}.tsv`)),
    )
  }
  if (statSync(source).isDirectory() && isMarcoFolder(source)) {
    const files = tablesOf(source, 'qrels')
    return previewSet(
      'msmarco',
      limit,
      tablesOf(source, 'queries').map(({ file }) => readMarcoQueries(path.join(source, file))),
      partsOf(files.map(({ split }) => split)),
      (name) => readMarcoJudgments(path.join(source, files.find(({ split }) => split === name)!.file)),
    )
  }
  return previewFeatures(
    statSync(source).isDirectory()
      ? featureFiles(source)
      : [{ file: source, name: path.basename(source), split: splitOfName(path.basename(source)) }],
    limit,
  )
}

function partsOf(names: readonly string[]): ListPreview['parts'] {
  // As an import takes them: judgments whose file names no side are held out.
  return names.map((name) => ({ name, split: splitOfName(name) ?? 'test' }))
}

interface Seen {
  split: SplitName | null
  judged: number
  relevant: number
}

async function previewSet(
  layout: 'beir' | 'msmarco',
  limit: number,
  queries: readonly Rows<Query>[],
  parts: ListPreview['parts'],
  judgmentsOf: (name: string) => Rows<Judgment>,
): Promise<ListPreview> {
  const problems: ListPreview['problems'] = []
  const seen = new Map<string, Seen>()
  for (const { name, split } of parts) {
    let count = 0
    for await (const { queryId, grade } of rowsOf(judgmentsOf(name), problems)) {
      const known = seen.get(queryId) ?? { split, judged: 0, relevant: 0 }
      seen.set(queryId, known)
      known.judged += 1
      if (grade > 0) known.relevant += 1
      if (known.split !== null && split !== null) known.split = furtherOut(known.split, split)
      if ((count += 1) >= MOST_JUDGMENTS) break
    }
  }
  const found: ListPreview['queries'] = []
  let read = 0
  for (const file of queries)
    for await (const { queryId, text } of rowsOf(file, problems)) {
      const known = seen.get(queryId)
      if (known !== undefined && found.length < limit) found.push({ queryId, text, ...known })
      if (found.length >= limit || (read += 1) >= MOST_QUERIES) break
    }
  return { kind: 'rankings', layout, features: null, parts, queries: found, problems }
}

async function previewFeatures(
  files: readonly { readonly file: string; readonly name: string; readonly split: SplitName | null }[],
  limit: number,
): Promise<ListPreview> {
  const problems: ListPreview['problems'] = []
  const found: ListPreview['queries'] = []
  let features = 0
  for (const { file, split } of files) {
    const queries = new Map<string, Seen>()
    let read = 0
    for await (const row of rowsOf(readFeatureRows(file), problems)) {
      const known = queries.get(row.queryId) ?? { split, judged: 0, relevant: 0 }
      if ((read += 1) > MOST_ROWS || (!queries.has(row.queryId) && queries.size >= limit)) break
      queries.set(row.queryId, known)
      known.judged += 1
      if (row.grade > 0) known.relevant += 1
      features = Math.max(features, row.features.at(-1)?.[0] ?? 0)
    }
    for (const [queryId, known] of queries) if (found.length < limit) found.push({ queryId, text: '', ...known })
  }
  const parts = files.map(({ name, split }) => ({ name, split }))
  return { kind: 'rankings', layout: 'features', features, parts, queries: found, problems }
}

async function* rowsOf<T>(batches: Rows<T>, problems: ListPreview['problems']): AsyncGenerator<T> {
  for await (const rows of batches)
    for (const { value, problem } of rows) {
      if (value !== null) yield value
      else if (problem !== null && problems.length < MOST_PROBLEMS) problems.push(problem)
    }
}
