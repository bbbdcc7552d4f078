// BEIR folders (Thakur et al., NeurIPS 2021): corpus.jsonl, queries.jsonl, qrels/<split>.tsv.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { nameOf, openRows, type SourceRow } from '../formats/readers.ts'
import {
  refuse,
  type Collection,
  type Document,
  type FileProblem,
  type Judgment,
  type Query,
  type Row,
} from './collection.ts'
import { collectSet } from './collect-set.ts'
import { integerOf, parseLines } from './read-lines.ts'

const CORPUS = ['corpus.jsonl', 'corpus.jsonl.gz']
/** What is a score, though perhaps a wrong one, and so no name of a column. */
const NUMBER_LIKE = /^[+-]?(\.?\d|nan\b|inf)/i
/** What the queries of a set may be called. */
export const QUERY_FILES = ['queries.jsonl', 'queries.jsonl.gz']

/** True where a folder has the three parts of a BEIR set. */
export function isBeirFolder(folder: string): boolean {
  return (
    statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true &&
    findFile(folder, CORPUS) !== null &&
    findFile(folder, QUERY_FILES) !== null &&
    existsSync(path.join(folder, 'qrels'))
  )
}

/** Documents of a corpus.jsonl; a title that is missing is empty. @throws AppError when the file cannot be read */
export function readDocuments(file: string): AsyncGenerator<readonly Row<Document>[]> {
  return readObjects(file, (values, line) => {
    const docId = idOf(values['_id'])
    if (docId === null)
      return refuse(
        line,
        'id-missing',
        `"_id" is ${nameOf(values['_id'])}, not text.`,
        'Every document needs an id of its own.',
      )
    const { title = '', text } = values
    if (typeof text !== 'string')
      return refuse(
        line,
        'text-missing',
        `"text" of document ${docId} is ${nameOf(text)}, not text.`,
        'Give the document a text, or take it and its judgments out.',
      )
    if (title !== null && typeof title !== 'string')
      return refuse(
        line,
        'title-not-text',
        `"title" of document ${docId} is ${nameOf(title)}, not text.`,
        'Write the title as text, or leave it out.',
      )
    return { line, value: { docId, title: title ?? '', text }, problem: null }
  })
}

/** Queries of a queries.jsonl. @throws AppError when the file cannot be read */
export function readQueries(file: string): AsyncGenerator<readonly Row<Query>[]> {
  return readObjects(file, (values, line) => {
    const queryId = idOf(values['_id'])
    if (queryId === null)
      return refuse(
        line,
        'id-missing',
        `"_id" is ${nameOf(values['_id'])}, not text.`,
        'Every query needs an id of its own.',
      )
    if (typeof values['text'] !== 'string')
      return refuse(
        line,
        'text-missing',
        `"text" of query ${queryId} is ${nameOf(values['text'])}, not text.`,
        'Give the query a text, or take it and its judgments out.',
      )
    return { line, value: { queryId, text: values['text'] }, problem: null }
  })
}

/**
 * query-id, corpus-id, score, separated by tabs. BEIR's own loader drops the first line unread; here it is dropped only
 * if it is a header, so that a file without one keeps its first judgment.
 */
export function readJudgments(file: string): AsyncGenerator<readonly Row<Judgment>[]> {
  let first = true
  return parseLines(file, (text, line) => {
    const cells = text.split('\t')
    const isFirst = first
    first = false
    const [queryId = '', docId = '', score = ''] = cells.map((cell) => cell.trim())
    const grade = integerOf(score)
    if (isFirst && cells.length === 3 && !NUMBER_LIKE.test(score)) return null
    if (cells.length !== 3)
      return refuse(
        line,
        'qrels-width',
        `The row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} separated by tabs, not 3.`,
        'A judgment is query id, document id and score.',
      )
    if (queryId === '' || docId === '')
      return refuse(
        line,
        'id-missing',
        'The row names no query or no document.',
        'A judgment is query id, document id and score.',
      )
    if (grade === null)
      return refuse(
        line,
        'grade-not-integer',
        `The score "${score}" is not a whole number.`,
        'Grades are 0 (not relevant), 1, 2 …',
      )
    return { line, value: { queryId, docId, grade }, problem: null }
  })
}

/**
 * The whole set. Rows that cannot be used are left out and listed with their file and line.
 * @param problems gets them as they are found, so that they are there where an error ends the reading
 * @throws AppError `dataset-invalid` where a part is missing or holds nothing usable
 */
export async function readBeirFolder(folder: string, problems: FileProblem[] = []): Promise<Collection> {
  const corpus = requireFile(folder, CORPUS)
  const queries = requireFile(folder, QUERY_FILES)
  const splits = splitsOf(folder).map((split) => ({ split, file: `qrels/${split}.tsv` }))
  return collectSet(
    {
      folder,
      documents: { file: corpus, rows: readDocuments(path.join(folder, corpus)) },
      queries: [{ file: queries, rows: readQueries(path.join(folder, queries)) }],
      judgments: splits.map(({ split, file }) => ({ split, file, rows: readJudgments(path.join(folder, file)) })),
    },
    problems,
  )
}

async function* readObjects<T>(
  file: string,
  parse: (values: Readonly<Record<string, unknown>>, line: number) => Row<T>,
): AsyncGenerator<readonly Row<T>[]> {
  const source = await openRows(file, { format: 'jsonl' })
  for await (const rows of source.batches())
    yield rows.map((row: SourceRow) =>
      row.values === null ? { line: row.line, value: null, problem: row.problem } : parse(row.values, row.line),
    )
}

/** Ids of Hugging Face tables may be numbers. */
function idOf(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

/** Names of the files of judgments, without ending. @throws AppError `dataset-invalid` where there is none */
export function splitsOf(folder: string): string[] {
  const qrels = path.join(folder, 'qrels')
  const names = existsSync(qrels)
    ? readdirSync(qrels)
        .filter((name) => name.endsWith('.tsv'))
        .map((name) => name.slice(0, -'.tsv'.length))
        .toSorted()
    : []
  if (names.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: `There are no judgments in ${qrels}.`,
      hint: 'A BEIR set has qrels/<split>.tsv, for example qrels/test.tsv.',
    })
  return names
}

function findFile(folder: string, names: readonly string[]): string | null {
  return names.find((name) => existsSync(path.join(folder, name))) ?? null
}

function requireFile(folder: string, names: readonly string[]): string {
  const found = findFile(folder, names)
  if (found !== null) return found
  throw new AppError({
    code: 'dataset-invalid',
    message: `There is no ${names[0]} in ${folder}.`,
    hint: 'A BEIR set has corpus.jsonl, queries.jsonl and a folder qrels.',
  })
}
