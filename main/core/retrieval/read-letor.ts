// LETOR and MSLR feature files (svmlight with a query id): `2 qid:10 1:0.5 3:1.25 # docid = GX1`.
import { AppError } from '../../../shared/errors.ts'
import { refuse, type FileProblem, type Row } from './collection.ts'
import { integerOf, parseLines } from './read-lines.ts'

export interface FeatureRow {
  readonly queryId: string
  readonly grade: number
  /** Feature numbers as in the file, from 1, rising; those that are absent are 0. */
  readonly features: readonly (readonly [number: number, value: number])[]
  /** From a comment `docid = …`; null where there is none. */
  readonly docId: string | null
}

/** One query's documents as a dense matrix, row-major [document, feature]. */
export interface FeatureList {
  readonly queryId: string
  readonly grades: readonly number[]
  readonly docIds: readonly string[]
  readonly features: Float32Array
}

/** A list, or what is wrong with a line. */
export type FeaturePart =
  | { readonly list: FeatureList; readonly problem: null }
  | { readonly list: null; readonly problem: FileProblem }

/** Published sets have up to 700. Lists are dense: each number up to the largest takes a place in every row. */
export const MOST_FEATURES = 65_536
/** Documents × features of one query: 60 times the largest list of MSLR. */
export const MOST_LIST_NUMBERS = 2 ** 23

/** Rows in the order of the file. @throws AppError when the file cannot be read */
export function readFeatureRows(file: string): AsyncGenerator<readonly Row<FeatureRow>[]> {
  return parseLines(file, (text, line) => {
    const hash = text.indexOf('#')
    const comment = hash < 0 ? '' : text.slice(hash + 1)
    const [label = '', qid = '', ...cells] = (hash < 0 ? text : text.slice(0, hash)).trim().split(/\s+/)
    if (label === '') return null // a line of comment alone
    const grade = integerOf(label)
    if (grade === null || grade < 0)
      return refuse(
        line,
        'grade-not-integer',
        `The label "${label}" is not a grade.`,
        'A row begins with a grade: 0, 1, 2 …',
      )
    const query = /^qid:(\S+)$/.exec(qid)
    if (query === null)
      return refuse(
        line,
        'qid-missing',
        `The second column is "${qid}", not qid:….`,
        'Rows of one query share a qid; files without one cannot be ranked.',
      )
    const features: [number, number][] = []
    for (const cell of cells) {
      const colon = cell.indexOf(':')
      const number = integerOf(cell.slice(0, colon))
      const value = Number(cell.slice(colon + 1))
      if (
        colon < 1 ||
        number === null ||
        number < 1 ||
        cell.length === colon + 1 ||
        !Number.isFinite(Math.fround(value))
      )
        return refuse(
          line,
          'feature-broken',
          `"${cell.slice(0, 40)}" is not a feature.`,
          'Features are number:value, numbers from 1, values finite in single precision.',
        )
      if (number <= (features.at(-1)?.[0] ?? 0))
        return refuse(
          line,
          'feature-order',
          `Feature ${number} comes after feature ${features.at(-1)![0]}.`,
          'Feature numbers rise within a row.',
        )
      if (number > MOST_FEATURES)
        return refuse(
          line,
          'feature-too-high',
          `Feature ${number} is above ${MOST_FEATURES}.`,
          'Features are numbered from 1 without large gaps: number them anew.',
        )
      features.push([number, value])
    }
    return {
      line,
      value: { queryId: query[1]!, grade, features, docId: /docid\s*=\s*(\S+)/i.exec(comment)?.[1] ?? null },
      problem: null,
    }
  })
}

/** The largest number of a feature in the file. @throws AppError `dataset-invalid` where no row can be used */
export async function widestFeature(file: string): Promise<number> {
  let widest = 0
  for await (const rows of readFeatureRows(file))
    for (const { value } of rows) widest = Math.max(widest, value?.features.at(-1)?.[0] ?? 0)
  if (widest === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: `${file} has no row with a query and features.`,
      hint: 'A row is: grade qid:… 1:… 2:…',
    })
  return widest
}

/**
 * The lists of a file one after the other, so that no more than one is in memory. A query whose rows do not stand
 * together is refused from the second place on: such files were sorted by something else, and a list cut in two would
 * be two lists.
 * @param name of the file, for its problems   @param featureCount of the data set
 */
export async function* readFeatureLists(file: string, name: string, featureCount: number): AsyncGenerator<FeaturePart> {
  for await (const groups of groupRows(readFeatureRows(file), Math.floor(MOST_LIST_NUMBERS / featureCount))) {
    for (const { value: group, problem } of groups) {
      if (group === null) yield { list: null, problem: { ...problem, file: name } }
      else yield { list: denseList(group, featureCount), problem: null }
    }
  }
}

function denseList({ queryId, rows }: Group, width: number): FeatureList {
  const features = new Float32Array(rows.length * width)
  rows.forEach((row, at) => row.features.forEach(([number, value]) => (features[at * width + number - 1] = value)))
  return {
    queryId,
    grades: rows.map((row) => row.grade),
    docIds: rows.map((row, at) => row.docId ?? `${queryId}#${at + 1}`),
    features,
  }
}

interface Group {
  readonly queryId: string
  readonly rows: FeatureRow[]
}

/** @param mostRows of one query; a longer list is left out whole */
async function* groupRows(
  batches: AsyncIterable<readonly Row<FeatureRow>[]>,
  mostRows: number,
): AsyncGenerator<readonly Row<Group>[]> {
  const done = new Set<string>()
  let current: { line: number; group: Group; count: number } | null = null
  const take = ({ line, group, count }: { line: number; group: Group; count: number }): Row<Group> =>
    count <= mostRows
      ? { line, value: group, problem: null }
      : refuse(
          line,
          'list-too-long',
          `Query ${group.queryId} has ${count} documents; a list is read up to ${mostRows}.`,
          'Keep the documents that a first stage would find.',
        )
  for await (const rows of batches) {
    const out: Row<Group>[] = []
    for (const row of rows) {
      if (row.value === null) out.push(row)
      else if (current !== null && row.value.queryId === current.group.queryId) {
        current.count += 1
        if (current.count <= mostRows) current.group.rows.push(row.value)
        else current.group.rows.length = 0
      } else if (done.has(row.value.queryId))
        out.push(
          refuse(
            row.line,
            'qid-apart',
            `Query ${row.value.queryId} had rows before the query in between.`,
            'Sort the file so that the rows of one query stand together.',
          ),
        )
      else {
        if (current !== null) out.push(take(current))
        current = { line: row.line, group: { queryId: row.value.queryId, rows: [row.value] }, count: 1 }
        done.add(row.value.queryId)
      }
    }
    yield out
  }
  if (current !== null) yield [take(current)]
}
