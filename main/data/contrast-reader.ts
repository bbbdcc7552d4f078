import { isUtf8 } from 'node:buffer'
import type { RowProblem } from '../../shared/contract/datasets.ts'
import { contrastData, type ContrastData, type SplitName } from '../../shared/data-kinds.ts'
import { AppError } from '../../shared/errors.ts'
import type { NewPart } from './add-dataset.ts'
import { openBytes, readHead } from './readers-bytes.ts'
import { createLineScanner } from './readers-lines.ts'

// Texts to embed, one item a line: GRACE's own files (query, positive, negative), sentence-transformers' triplets and
// n-tuples, plain lines, and the forms in which STS-B goes round.

/** Which of the forms a file has, judged by its first line. */
export type ContrastLayout = 'jsonl' | 'sts-tsv' | 'glue-tsv' | 'lines'

/** Columns of stsbenchmark's files, which have no header and may have more columns: score, then two sentences. */
const STS_COLUMNS = { split: null, score: 4, first: 5, second: 6 } as const
/** Similarities in these tables run to 5. */
const STS_TOP = 5
const QUERY_NAMES = ['query', 'anchor', 'sentence1', 'text1'] as const
const POSITIVE_NAMES = ['positive', 'pos', 'sentence2', 'text2'] as const
const NEGATIVE_NAME = /^(?:hard_)?neg(?:ative)?s?(?:_\d+)?$/

interface Line {
  readonly line: number
  readonly text: string
}

/**
 * Items and problems of a file, in its order.
 * @throws AppError when the file cannot be read, or its columns are none of the known forms
 */
export async function* readContrastFile(path: string): AsyncGenerator<NewPart> {
  const layout = layoutOf(await readHead(path, 64 * 1024))
  const header = { columns: null as readonly string[] | null }
  const topScore = layout === 'jsonl' ? await topScoreOf(path) : STS_TOP
  for await (const one of linesOf(path)) {
    if ('problem' in one) {
      yield one
      continue
    }
    if (layout === 'glue-tsv' && header.columns === null) {
      header.columns = one.text.split('\t')
      continue
    }
    const found = layout === 'jsonl' ? fromJson(one, topScore) : layout === 'lines' ? { data: { form: 'text', text: one.text.trim() } as const, split: null } : fromTable(one, layout, header.columns)
    yield 'code' in found ? { problem: found } : itemOf(one.line, found.data, found.split)
  }
}

function layoutOf(head: Buffer): ContrastLayout {
  const first = head.toString('utf8').replace(/^\uFEFF/, '').split(/\r?\n/).find((line) => line.trim() !== '') ?? ''
  if (first.trimStart().startsWith('{')) return 'jsonl'
  const cells = first.split('\t')
  if (cells[0] === 'index' && cells.includes('sentence1') && cells.includes('score')) return 'glue-tsv'
  if (cells.length > STS_COLUMNS.second && Number.isFinite(Number(cells[STS_COLUMNS.score]))) return 'sts-tsv'
  if (cells.length > 2) throw new AppError({ code: 'dataset-invalid', message: `The first line has ${cells.length} columns that are none of the known forms.`, hint: 'Known are: JSONL with query, positive and negative; STS-B tables; and text with one sentence a line.' })
  return 'lines'
}

async function* linesOf(path: string): AsyncGenerator<Line | { readonly problem: RowProblem }> {
  const source = await openBytes(path)
  const scanner = createLineScanner()
  function* convert(records: ReturnType<typeof scanner.push>): Generator<Line | { readonly problem: RowProblem }> {
    for (const { line, bytes, problem } of records) {
      if (bytes === null) yield { problem }
      else if (!isUtf8(bytes)) yield { problem: problemAt(line, 'not-utf8', 'The line holds bytes that are not UTF-8 text.', 'Save the file again as UTF-8.') }
      else yield { line, text: line === 1 ? bytes.toString('utf8').replace(/^\uFEFF/, '') : bytes.toString('utf8') }
    }
  }
  for await (const chunk of source.chunks()) yield* convert(scanner.push(chunk))
  yield* convert(scanner.end())
}

/** Scores run to 1 or to 5; the file's largest tells which. */
async function topScoreOf(path: string): Promise<number> {
  let top = 0
  for await (const one of linesOf(path)) {
    if ('problem' in one) continue
    const score = /"(?:score|label|similarity)"\s*:\s*([\d.]+)/.exec(one.text)?.[1]
    if (score !== undefined) top = Math.max(top, Number(score))
  }
  return top > 1 ? STS_TOP : 1
}

type Found = { readonly data: ContrastData; readonly split: SplitName | null } | RowProblem

function fromJson({ line, text }: Line, topScore: number): Found {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return problemAt(line, 'json-broken', `The line is not valid JSON: ${error instanceof Error ? error.message.slice(0, 120) : 'unreadable'}.`, 'Look for a missing quote, comma or bracket, or a line that was cut off.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problemAt(line, 'row-not-object', 'The line is no object with named columns.', 'Every line needs names, as in {"query": …, "positive": …, "negative": …}.')
  const row = value as Readonly<Record<string, unknown>> // an object was just proved
  const split = splitOf(row['split'])
  const scoreName = ['score', 'label', 'similarity'].find((name) => typeof row[name] === 'number')
  const query = pick(row, QUERY_NAMES)
  const positive = pick(row, POSITIVE_NAMES)
  if (scoreName !== undefined && query !== null && positive !== null) return checked(line, { form: 'scored-pair', first: query, second: positive, score: (row[scoreName] as number) / topScore }, split)
  if (query !== null && positive !== null) return checked(line, { form: 'triple', query, positive, negatives: negativesOf(row), source: typeof row['source'] === 'string' ? row['source'] : null }, split)
  if (typeof row['text'] === 'string' && row['text'].trim() !== '') return checked(line, { form: 'text', text: row['text'] }, split)
  const missing = query === null ? 'query (or anchor)' : 'positive'
  return problemAt(line, 'column-missing', `The line has no text for ${missing}; its columns are ${Object.keys(row).join(', ')}.`, 'A line needs query and positive, and may have negative, negatives or negative_1 …; or text alone.')
}

function fromTable({ line, text }: Line, layout: 'sts-tsv' | 'glue-tsv', columns: readonly string[] | null): Found {
  const cells = text.split('\t')
  const at = layout === 'sts-tsv' ? STS_COLUMNS : { score: columns!.indexOf('score'), first: columns!.indexOf('sentence1'), second: columns!.indexOf('sentence2') }
  const [score, first, second] = [cells[at.score], cells[at.first], cells[at.second]]
  if (score === undefined || first === undefined || second === undefined) return problemAt(line, 'cells-missing', `The line has ${cells.length} columns, too few for a score and two sentences.`, 'Columns are parted by tabs.')
  const value = Number(score)
  if (score.trim() === '' || !Number.isFinite(value)) return problemAt(line, 'not-a-number', `The score is "${score.slice(0, 40)}", no number.`, 'Scores run from 0 to 5.')
  return checked(line, { form: 'scored-pair', first: first.trim(), second: second.trim(), score: value / STS_TOP }, null)
}

function checked(line: number, data: ContrastData, split: SplitName | null): Found {
  const parsed = contrastData.safeParse(data)
  if (parsed.success) return { data: parsed.data, split }
  if (data.form === 'scored-pair' && (data.score < 0 || data.score > 1)) return problemAt(line, 'score-outside', 'The score is outside of its scale.', 'Scores run from 0 to 1, or from 0 to 5 in the whole file.')
  return problemAt(line, 'text-empty', 'A text of the line is empty.', 'Every text needs at least one character.')
}

function pick(row: Readonly<Record<string, unknown>>, names: readonly string[]): string | null {
  for (const name of names) {
    const value = row[name]
    if (typeof value === 'string' && value.trim() !== '') return value
  }
  return null
}

/** `negative`, `neg`, `negatives`, `negative_1` …: texts or lists of texts, in the order of the columns. */
function negativesOf(row: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(row).flatMap(([name, value]) => (NEGATIVE_NAME.test(name) ? (Array.isArray(value) ? value : [value]) : [])).filter((value): value is string => typeof value === 'string' && value.trim() !== '')
}

function splitOf(value: unknown): SplitName | null {
  if (value === 'train' || value === 'test' || value === 'validation') return value
  return value === 'dev' || value === 'val' ? 'validation' : null
}

function itemOf(line: number, data: ContrastData, split: SplitName | null): NewPart {
  const title = data.form === 'triple' ? data.query : data.form === 'text' ? data.text : data.first
  return { item: { pairId: `line-${line}`, line, group: title, title: title.slice(0, 200), split, data } }
}

function problemAt(line: number, code: string, reason: string, hint: string): RowProblem {
  return { line, severity: 'error', code, reason, hint }
}
