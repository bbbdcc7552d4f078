// Files that are told by the columns of their rows, or by having none.
import type { DataKind } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { readTextHead } from '../formats/text-of.ts'
import { areKnown, findColumns } from '../formats/contrast-columns.ts'
import { findContrastForm } from '../formats/contrast-form.ts'
import { readContrastRows } from '../formats/contrast-rows.ts'
import { missingRoles, readFirstRows } from '../formats/inspect.ts'
import { cellOf, columnsOf } from '../formats/mapping-compile.ts'
import { guessMapping } from '../formats/mapping-guess.ts'
import { describeTextColumns } from '../formats/preview-texts.ts'
import type { FileFormat, RowValues } from '../formats/readers.ts'
import { SNIFF_BYTES, sniffFormat } from '../formats/sniff.ts'
import { findUnpairedColumns } from '../formats/unpaired-columns.ts'
import { listed, type Findings } from './findings.ts'

const MOST = { rows: 200, bytes: 4 * 1024 * 1024, pieces: 64 }
const TEXT_ROWS = 50
/** Numbers alone are no text. */
const WORD = /\p{L}{2}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const WORD_BYTES = 16 * 1024

/** What a kind says to a file: that it fits, that something must be said first, or nothing. */
interface Claim {
  readonly kind: DataKind
  readonly because: string
  readonly fits: 'well' | 'with-answers'
}

/** @throws AppError when the file cannot be read */
export async function lookAtRows(file: string): Promise<Findings> {
  const head = await readTextHead(file, SNIFF_BYTES)
  const format = formatOf(head, file)
  const texts = await claimOfTexts(file)
  if (format === null) return findings([texts], [])
  const { rows } = await readFirstRows(file, format, MOST)
  const values = rows.flatMap((row): RowValues[] => (row.values === null ? [] : [row.values]))
  const names = [...new Set(values.flatMap((row) => Object.keys(row)))]
  const segments = claimOfSegments(values)
  // Two segments are two sides as well, and no answers.
  const pairs = segments === null ? claimOfPairs(format, names, values) : null
  const claims = [segments, pairs, claimOfAnswers(names), texts]
  // Of a table, the cells of a first line that is no header are no names.
  return findings(claims, isHeader(format, claims) ? names : [])
}

/** Null for text that is neither JSON nor a table. */
function formatOf(head: Buffer, file: string): FileFormat | null {
  try {
    return sniffFormat(head, head.length < SNIFF_BYTES, file)
  } catch (error) {
    if (error instanceof AppError && error.code === 'format-unknown') return null
    throw error
  }
}

function isHeader(format: FileFormat, claims: readonly (Claim | null)[]): boolean {
  return (
    format === 'json' || format === 'jsonl' || claims.slice(0, 3).some((claim) => claim !== null) || claims[3] === null
  )
}

function findings(claims: readonly (Claim | null)[], columns: readonly string[]): Findings {
  const made = claims.filter((claim) => claim !== null)
  const best = made.find(({ fits }) => fits === 'well') ?? made[0]
  const shown = columns.slice(0, 60)
  if (best === undefined)
    return {
      kind: null,
      because:
        columns.length === 0
          ? 'its rows have no columns with names, and are no texts'
          : columns.length === 1
            ? `its only column, ${columns[0] ?? ''}, tells of no kind that is known`
            : `its columns, ${listed(columns, 8)}, are called like those of no kind that is known`,
      hint: 'Say what it holds. Of preference pairs and single answers each column can be given its role.',
      others: [],
      columns: shown,
    }
  return {
    kind: best.kind,
    because: best.because,
    hint: '',
    others: made.filter((claim) => claim !== best).map(({ kind, because }) => ({ kind, because })),
    columns: shown,
  }
}

function claimOfSegments(rows: readonly RowValues[]): Claim | null {
  const isSegment = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'observations' in value && 'actions' in value
  const found = rows.filter((row) => isSegment(row['a']) && isSegment(row['b'])).length
  if (found === 0 || found * 2 < rows.length) return null
  return {
    kind: 'segment-pairs',
    because: 'its rows have two segments, a and b, with observations and actions, as Pairlab exports them',
    fits: 'well',
  }
}

function claimOfPairs(format: FileFormat, names: readonly string[], rows: readonly RowValues[]): Claim | null {
  if (rows.length === 0) return null
  const mapping = guessMapping(format, names, rows)
  const known = [
    ...names,
    ...Object.keys(mapping.columns).filter((column) => rows.some((row) => cellOf(row, column) !== undefined)),
  ]
  const missing = missingRoles(mapping, known, rows)
  if (missing.some((role) => role !== 'prompt')) return null
  const of = (...roles: readonly Parameters<typeof columnsOf>[1][]): string[] =>
    roles.flatMap((role) => columnsOf(mapping, role))
  const ranked = of('chosen', 'rejected')
  const sides = of('a', 'b')
  const prompt = of('prompt')
  const judges = of('label', 'wins-a', 'wins-b')
  const answers =
    sides.length === 0
      ? listed([...prompt, ...ranked])
      : `${prompt.length === 0 ? '' : `${listed(prompt)} with `}two answers, ${listed(sides)}`
  const judged =
    judges.length === 0 ? '' : `, and ${listed(judges, 4)} ${judges.length === 1 ? 'says' : 'say'} which is better`
  const open = missing.length === 0 ? '' : '; what is the prompt must be said'
  return {
    kind: 'response-pairs',
    because: `its rows have ${answers}${judged}${open}`,
    // Two like texts without a question and without a judge are as likely to be texts that belong together.
    fits: missing.length === 0 && prompt.length + ranked.length + judges.length > 0 ? 'well' : 'with-answers',
  }
}

function claimOfAnswers(names: readonly string[]): Claim | null {
  const columns = findUnpairedColumns(names)
  if (columns === null) return null
  const { prompt, completion, labels } = columns
  const judged =
    labels.length === 0
      ? 'nothing says whether it is good'
      : `${listed(
          labels.map(({ column }) => column),
          4,
        )} ${labels.length === 1 ? 'says' : 'say'} whether it is good`
  return {
    kind: 'unpaired-responses',
    because: `each row has one answer, ${completion}, to its ${prompt}, and ${judged}`,
    fits: 'well',
  }
}

async function claimOfTexts(file: string): Promise<Claim | null> {
  const claim = (because: string, fits: Claim['fits'] = 'well'): Claim => ({ kind: 'contrast-groups', because, fits })
  try {
    const form = await findContrastForm(file, null)
    if (form.kind === 'lines')
      return WORD.test((await readTextHead(file, WORD_BYTES)).toString('utf8'))
        ? claim('it holds one text a line')
        : null
    const count = { rows: 0, lists: 0, known: 0, bare: 0 }
    let words: string | null = null
    for await (const row of readContrastRows(file, form)) {
      if ('problem' in row) continue
      count.rows += 1
      if ('text' in row) count.bare += 1
      else if ('list' in row) count.lists += 1
      else if (areKnown(findColumns(Object.keys(row.values)))) {
        count.known += 1
        words ??= describeTextColumns(Object.keys(row.values))
      }
      if (count.rows >= TEXT_ROWS) break
    }
    if (count.rows === 0 || (count.known + count.lists + count.bare) * 2 < count.rows) return null
    if (count.known > 0) return claim(`its rows have ${words ?? 'texts'}`)
    return claim(count.lists > 0 ? 'its rows are lists of texts' : 'its rows are texts')
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== 'input-invalid' && error.code !== 'dataset-invalid'))
      throw error
    // It could be read in two ways, which a person can tell apart; a header of unknown names is none of texts.
    return /header whose names|none of the known forms/.test(error.message)
      ? null
      : claim('it holds texts, and how they belong together must be said', 'with-answers')
  }
}
