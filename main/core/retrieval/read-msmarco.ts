// MS MARCO passage files: tables without a header, separated by tabs, in which a quotation mark is a letter.
import type { Judgment, Query, Row } from './collection.ts'
import { refuse } from './collection.ts'
import { parseLines } from './read-lines.ts'
import { readTrecJudgments } from './trec.ts'

export interface Passage {
  readonly docId: string
  readonly text: string
}

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
export function readPassages(file: string): AsyncGenerator<readonly Row<Passage>[]> {
  return readTable(file, ['pid', 'passage'], ([docId, text]) => ({ docId, text }))
}

/** queries.*.tsv */
export function readMarcoQueries(file: string): AsyncGenerator<readonly Row<Query>[]> {
  return readTable(file, ['qid', 'query'], ([queryId, text]) => ({ queryId, text }))
}

/** qrels.*.tsv is a TREC file. */
export function readMarcoJudgments(file: string): AsyncGenerator<readonly Row<Judgment>[]> {
  return readTrecJudgments(file)
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
