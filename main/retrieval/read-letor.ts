// LETOR and MSLR feature files (svmlight with a query id): `2 qid:10 1:0.5 3:1.25 # docid = GX1`.
import { AppError } from '../../shared/errors.ts'
import { refuse, type FileProblem, type Row } from './collection.ts'
import { collectRows, integerOf, parseLines } from './read-lines.ts'

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

export interface FeatureSet {
  readonly featureCount: number
  readonly lists: readonly FeatureList[]
  readonly problems: readonly FileProblem[]
}

/** Rows in the order of the file. @throws AppError when the file cannot be read */
export function readFeatureRows(file: string): AsyncGenerator<readonly Row<FeatureRow>[]> {
  return parseLines(file, (text, line) => {
    const hash = text.indexOf('#')
    const comment = hash < 0 ? '' : text.slice(hash + 1)
    const [label = '', qid = '', ...cells] = (hash < 0 ? text : text.slice(0, hash)).trim().split(/\s+/)
    if (label === '') return null // a line of comment alone
    const grade = integerOf(label)
    if (grade === null || grade < 0) return refuse(line, 'grade-not-integer', `The label "${label}" is not a grade.`, 'A row begins with a grade: 0, 1, 2 …')
    const query = /^qid:(\S+)$/.exec(qid)
    if (query === null) return refuse(line, 'qid-missing', `The second column is "${qid}", not qid:….`, 'Rows of one query share a qid; files without one cannot be ranked.')
    const features: [number, number][] = []
    for (const cell of cells) {
      const colon = cell.indexOf(':')
      const number = integerOf(cell.slice(0, colon))
      const value = Number(cell.slice(colon + 1))
      if (colon < 1 || number === null || number < 1 || cell.length === colon + 1 || !Number.isFinite(value)) return refuse(line, 'feature-broken', `"${cell}" is not a feature.`, 'Features are number:value, numbers from 1.')
      if (number <= (features.at(-1)?.[0] ?? 0)) return refuse(line, 'feature-order', `Feature ${number} comes after feature ${features.at(-1)![0]}.`, 'Feature numbers rise within a row.')
      features.push([number, value])
    }
    return { line, value: { queryId: query[1]!, grade, features, docId: /docid\s*=\s*(\S+)/i.exec(comment)?.[1] ?? null }, problem: null }
  })
}

/**
 * The lists of a whole file. A query whose rows do not stand together is refused from the second place on: such files
 * were sorted by something else, and a list cut in two would be two lists.
 * @param featureCount null: the largest number in the file   @throws AppError `dataset-invalid` where no row can be used
 */
export async function readFeatureFile(file: string, name: string, featureCount: number | null = null): Promise<FeatureSet> {
  const { values: groups, problems } = await collectRows(groupRows(readFeatureRows(file)))
  const widest = groups.reduce((most, { rows }) => rows.reduce((max, row) => Math.max(max, row.features.at(-1)?.[0] ?? 0), most), 0)
  const width = featureCount ?? widest
  if (groups.length === 0 || width === 0) throw new AppError({ code: 'dataset-invalid', message: `${file} has no row with a query and features.`, hint: 'A row is: grade qid:… 1:… 2:…' })
  if (widest > width) throw new AppError({ code: 'dataset-invalid', message: `${file} has a feature ${widest}; the data set has ${width}.`, hint: 'All files of a set have the same features.' })
  const lists = groups.map(({ queryId, rows }) => {
    const features = new Float32Array(rows.length * width)
    rows.forEach((row, at) => row.features.forEach(([number, value]) => (features[at * width + number - 1] = value)))
    return { queryId, grades: rows.map((row) => row.grade), docIds: rows.map((row, at) => row.docId ?? `${queryId}#${at + 1}`), features }
  })
  return { featureCount: width, lists, problems: problems.map((problem) => ({ ...problem, file: name })) }
}

interface Group {
  readonly queryId: string
  readonly rows: FeatureRow[]
}

async function* groupRows(batches: AsyncIterable<readonly Row<FeatureRow>[]>): AsyncGenerator<readonly Row<Group>[]> {
  const done = new Set<string>()
  let current: { line: number; group: Group } | null = null
  for await (const rows of batches) {
    const out: Row<Group>[] = []
    for (const row of rows) {
      if (row.value === null) out.push(row)
      else if (current !== null && row.value.queryId === current.group.queryId) current.group.rows.push(row.value)
      else if (done.has(row.value.queryId)) out.push(refuse(row.line, 'qid-apart', `Query ${row.value.queryId} had rows before the query in between.`, 'Sort the file so that the rows of one query stand together.'))
      else {
        if (current !== null) out.push({ line: current.line, value: current.group, problem: null })
        current = { line: row.line, group: { queryId: row.value.queryId, rows: [row.value] } }
        done.add(row.value.queryId)
      }
    }
    yield out
  }
  if (current !== null) yield [{ line: current.line, value: current.group, problem: null }]
}
