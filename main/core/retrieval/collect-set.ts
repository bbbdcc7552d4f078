// The parts of a collection brought together: what is said twice is told, and what judges say of nobody's query is left out.
import path from 'node:path'
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import {
  refuse,
  type Collection,
  type Document,
  type FileProblem,
  type Judgment,
  type Query,
  type Row,
} from './collection.ts'
import { collectRows } from './read-lines.ts'

interface Part<T> {
  /** Relative to the folder. */
  readonly file: string
  readonly rows: AsyncIterable<readonly Row<T>[]>
}

export interface SetParts {
  readonly folder: string
  readonly documents: Part<Document>
  /** A query may stand in several files, in the same words. */
  readonly queries: readonly Part<Query>[]
  readonly judgments: readonly (Part<Judgment> & { readonly split: string })[]
}

/**
 * Rows that cannot be used are left out and listed with their file and line.
 * @param problems gets them as they are found, so that they are there where an error ends the reading
 * @throws AppError `dataset-invalid` where a part holds nothing usable
 */
export async function collectSet(
  { folder, documents, queries, judgments }: SetParts,
  problems: FileProblem[] = [],
): Promise<Collection> {
  const take = async <T>({ file, rows }: Part<T>): Promise<T[]> => {
    const found = await collectRows(rows)
    for (const problem of found.problems) problems.push({ ...problem, file })
    return found.values
  }
  const corpus = await take({ ...documents, rows: dropRepeated(documents.rows, ({ docId }) => docId, 'document') })
  const known = new Map<string, string>() // query → text
  const asked: Query[] = []
  for (const part of queries) {
    const own = dropKnown(part.rows, known)
    const fresh = await take({ ...part, rows: dropRepeated(own, ({ queryId }) => queryId, 'query') })
    for (const query of fresh) known.set(query.queryId, query.text)
    asked.push(...fresh)
  }
  const docIds = new Set(corpus.map(({ docId }) => docId))
  const said: Record<string, readonly Judgment[]> = {}
  for (const { split, file, rows } of judgments) {
    const checked = checkJudgments(rows, known, docIds, (problem) => problems.push({ ...problem, file }))
    said[split] = await take({ file, rows: checked })
  }
  if (corpus.length === 0) throw nothing(folder, documents.file, 'document')
  if (asked.length === 0) throw nothing(folder, queries[0]?.file ?? 'queries', 'query')
  if (Object.values(said).every((list) => list.length === 0))
    throw nothing(folder, judgments[0]?.file ?? 'qrels', 'judgment')
  return { documents: corpus, queries: asked, judgments: said, problems }
}

async function* dropRepeated<T>(
  batches: AsyncIterable<readonly Row<T>[]>,
  idFor: (value: T) => string,
  noun: string,
): AsyncGenerator<readonly Row<T>[]> {
  const lineOf = new Map<string, number>()
  for await (const rows of batches) {
    yield rows.map((row) => {
      if (row.value === null) return row
      const id = idFor(row.value)
      const before = lineOf.get(id)
      if (before !== undefined)
        return refuse(
          row.line,
          'id-repeated',
          `The ${noun} ${id} stands in line ${before} already.`,
          'Ids must differ; the first one was kept.',
        )
      lineOf.set(id, row.line)
      return row
    })
  }
}

/** What an earlier file says in the same words is said once. */
async function* dropKnown(
  batches: AsyncIterable<readonly Row<Query>[]>,
  known: ReadonlyMap<string, string>,
): AsyncGenerator<readonly Row<Query>[]> {
  for await (const rows of batches) {
    yield rows.flatMap((row) => {
      const before = row.value === null ? undefined : known.get(row.value.queryId)
      if (row.value === null || before === undefined) return [row]
      if (before === row.value.text) return []
      const reason = `The query ${row.value.queryId} has other words in an earlier file.`
      return [refuse(row.line, 'id-repeated', reason, 'Ids must differ; the first one was kept.')]
    })
  }
}

/** A judged document that is not in the corpus still counts in the ideal ranking, as it does for trec_eval: said, and kept. */
async function* checkJudgments(
  batches: AsyncIterable<readonly Row<Judgment>[]>,
  queries: ReadonlyMap<string, string>,
  docIds: ReadonlySet<string>,
  warn: (problem: RowProblem) => void,
): AsyncGenerator<readonly Row<Judgment>[]> {
  for await (const rows of batches) {
    yield rows.map((row) => {
      if (row.value === null) return row
      const { queryId, docId, grade } = row.value
      if (!queries.has(queryId))
        return refuse(
          row.line,
          'query-unknown',
          `There is no query ${queryId}.`,
          'Add the query to the queries, or take its judgments out.',
        )
      if (!docIds.has(docId))
        warn({
          line: row.line,
          severity: 'warning',
          code: 'document-unknown',
          reason: `There is no document ${docId}.`,
          hint: 'It can never be retrieved, and yet counts in the ideal ranking.',
        })
      if (grade >= 0) return row
      warn({
        line: row.line,
        severity: 'warning',
        code: 'grade-negative',
        reason: `The grade ${grade} is below 0.`,
        hint: 'It is read as 0, not relevant.',
      })
      return { ...row, value: { queryId, docId, grade: 0 } }
    })
  }
}

function nothing(folder: string, file: string, noun: string): AppError {
  return new AppError({
    code: 'dataset-invalid',
    message: `${path.join(folder, file)} has no ${noun} that can be used.`,
    hint: 'Look at the list of problems; the columns may have other names.',
  })
}
