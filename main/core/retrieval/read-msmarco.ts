// MS MARCO passage files: tables without a header, separated by tabs, in which a quotation mark is a letter.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
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
import { collectSet } from './collect-set.ts'
import { parseLines } from './read-lines.ts'
import { readTrecJudgments } from './trec.ts'

export interface TextTriple {
  readonly query: string
  readonly positive: string
  readonly negative: string
}

export interface IdTriple {
  readonly queryId: string
  readonly positiveId: string
  readonly negativeId: string
}

/** A passage that a first stage found for a query. */
export interface Candidate {
  readonly queryId: string
  readonly docId: string
  readonly query: string
  readonly text: string
}

/** collection.tsv */
export function readPassages(file: string): AsyncGenerator<readonly Row<Document>[]> {
  return readTable(file, ['pid', 'passage'], ([docId, text]) => ({ docId, title: '', text }))
}

/** queries.*.tsv */
export function readMarcoQueries(file: string): AsyncGenerator<readonly Row<Query>[]> {
  return readTable(file, ['qid', 'query'], ([queryId, text]) => ({ queryId, text }))
}

/** qrels.*.tsv is a TREC file. */
export function readMarcoJudgments(file: string): AsyncGenerator<readonly Row<Judgment>[]> {
  return readTrecJudgments(file)
}

/** True where a folder has the three tables of a judged MS MARCO collection. */
export function isMarcoFolder(folder: string): boolean {
  return (
    statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true &&
    collectionFile(folder) !== null &&
    tablesOf(folder, 'queries').length > 0 &&
    tablesOf(folder, 'qrels').length > 0
  )
}

/**
 * collection.tsv with queries.<split>.tsv and qrels.<split>.tsv; what else lies there (triples, candidates) is not read.
 * @param problems as of `collectSet`   @throws AppError `dataset-invalid` where a part is missing or holds nothing usable
 */
export async function readMarcoFolder(folder: string, problems: FileProblem[] = []): Promise<Collection> {
  const collection = collectionFile(folder)
  if (collection === null || !isMarcoFolder(folder))
    throw new AppError({
      code: 'dataset-invalid',
      message: `${folder} lacks a table of MS MARCO.`,
      hint: 'It has collection.tsv, queries.<split>.tsv and qrels.<split>.tsv.',
    })
  const queries = tablesOf(folder, 'queries')
  const qrels = tablesOf(folder, 'qrels')
  return collectSet(
    {
      folder,
      documents: { file: collection, rows: readPassages(path.join(folder, collection)) },
      queries: queries.map(({ file }) => ({ file, rows: readMarcoQueries(path.join(folder, file)) })),
      judgments: qrels.map(({ split, file }) => ({ split, file, rows: readMarcoJudgments(path.join(folder, file)) })),
    },
    problems,
  )
}

function collectionFile(folder: string): string | null {
  return ['collection.tsv', 'collection.tsv.gz'].find((name) => existsSync(path.join(folder, name))) ?? null
}

/** `qrels.dev.small.tsv` → `dev.small` */
export function tablesOf(
  folder: string,
  kind: 'queries' | 'qrels',
): { readonly split: string; readonly file: string }[] {
  const pattern = new RegExp(`^${kind}\\.(.+?)\\.tsv(\\.gz)?$`)
  return readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      const split = pattern.exec(file)?.[1]
      return split === undefined ? [] : [{ split, file }]
    })
}

/** triples.train.small.tsv */
export function readTextTriples(file: string): AsyncGenerator<readonly Row<TextTriple>[]> {
  return readTable(file, ['query', 'positive', 'negative'], ([query, positive, negative]) => ({
    query,
    positive,
    negative,
  }))
}

/** qidpidtriples.train.full.2.tsv */
export function readIdTriples(file: string): AsyncGenerator<readonly Row<IdTriple>[]> {
  return readTable(file, ['qid', 'positive pid', 'negative pid'], ([queryId, positiveId, negativeId]) => ({
    queryId,
    positiveId,
    negativeId,
  }))
}

/** top1000.*.tsv */
export function readCandidates(file: string): AsyncGenerator<readonly Row<Candidate>[]> {
  return readTable(file, ['qid', 'pid', 'query', 'passage'], ([queryId, docId, query, text]) => ({
    queryId,
    docId,
    query,
    text,
  }))
}

type Cells<C extends readonly string[]> = { readonly [K in keyof C]: string }

function readTable<const C extends readonly string[], T>(
  file: string,
  columns: C,
  make: (cells: Cells<C>) => T,
): AsyncGenerator<readonly Row<T>[]> {
  return parseLines(file, (text, line) => {
    const cells = text.split('\t')
    if (cells.length !== columns.length)
      return refuse(
        line,
        'tsv-width',
        `The row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} separated by tabs, not ${columns.length}.`,
        `A row is: ${columns.join(', ')}.`,
      )
    const empty = cells.findIndex((cell) => cell.trim() === '')
    if (empty >= 0)
      return refuse(line, 'cell-empty', `The ${columns[empty]} is empty.`, 'Take the row out, or fill it in.')
    return { line, value: make(cells as unknown as Cells<C>), problem: null } // as many as there are columns
  })
}
