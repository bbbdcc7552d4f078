// What a file or a folder is, by its content: the one place where the page and the command line ask.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Recognition } from '../../../shared/contract/imports.ts'
import { AppError } from '../../../shared/errors.ts'
import { readTextHead } from '../formats/text-of.ts'
import { holdsArrays, listNpz } from '../formats/npz.ts'
import { isBeirFolder, splitsOf } from '../retrieval/read-beir.ts'
import { isMarcoFolder, tablesOf } from '../retrieval/read-msmarco.ts'
import { featureFiles } from '../retrieval/to-dataset.ts'
import { listed, type Findings } from './findings.ts'
import { HEAD_BYTES, lookAtLines } from './look-lines.ts'
import { lookAtRows } from './look-rows.ts'

/** Names of files that may hold data. */
const DATA_FILE = /\.(jsonl|ndjson|json|csv|tsv|txt|npz|svm|svmlight|letor|parquet)(\.gz)?$/i
/** Files of a folder that are told. */
const MOST_FILES = 40
const NOTHING: Findings = { kind: null, because: '', hint: '', others: [], columns: [] }

/** @throws AppError where it cannot be read, is empty, or is of a form that nothing here reads */
export async function recognize(source: string): Promise<Recognition> {
  const entry = statSync(source, { throwIfNoEntry: false })
  if (entry?.isDirectory() !== true) {
    const found = await lookAtFile(source)
    return {
      path: source,
      fileName: path.basename(source),
      isFolder: false,
      sizeBytes: sizeOf(source),
      files: [],
      ...found,
    }
  }
  const found = await lookAtFolder(source)
  const whole = { path: source, fileName: path.basename(source), isFolder: true, sizeBytes: sizeOfFolder(source) }
  if (found !== null) return { ...whole, files: [], ...found }
  const files = readdirSync(source, { withFileTypes: true })
    .filter((one) => one.isFile() && !one.name.startsWith('.') && DATA_FILE.test(one.name))
    .map(({ name }) => name)
    .toSorted()
  const [only] = files
  if (files.length === 1 && only !== undefined) return recognize(path.join(source, only))
  return {
    ...whole,
    ...NOTHING,
    because:
      files.length === 0 ? 'it holds no file of data' : `it holds ${files.length} files, and no set of judged lists`,
    hint:
      files.length === 0
        ? 'Give a file of JSONL, JSON, CSV, TSV, Parquet, text or npz; or the folder of a BEIR set, of MS MARCO’s tables, or of LETOR files.'
        : 'Give one of its files.',
    files: files.slice(0, MOST_FILES),
  }
}

async function lookAtFolder(folder: string): Promise<Findings | null> {
  const judged = (because: string): Findings => ({ ...NOTHING, kind: 'rankings', because })
  if (isBeirFolder(folder))
    return judged(`it holds a corpus, queries and judgments (${listed(splitsOf(folder))}), as a BEIR set does`)
  if (isMarcoFolder(folder)) {
    const parts = [...new Set(tablesOf(folder, 'qrels').map(({ split }) => split))]
    return judged(`it holds a collection, queries and judgments (${listed(parts)}), as MS MARCO’s tables do`)
  }
  const files = featureFiles(folder)
  const [first] = files
  if (first === undefined) return null
  const lines = await lookAtLines(first.file)
  return lines?.kind === 'rankings'
    ? judged(
        `its files ${listed(files.map(({ name }) => name))} hold documents as features, each with its grade and query`,
      )
    : null
}

async function lookAtFile(file: string): Promise<Findings> {
  if (await holdsArrays(file)) return lookAtArrays(file)
  const head = await readTextHead(file, HEAD_BYTES)
  if (head.toString('utf8').trim() === '')
    throw new AppError({
      code: 'dataset-invalid',
      message: `${file} is empty.`,
      hint: 'Choose a file with at least one row.',
    })
  const lines = await lookAtLines(file)
  const found = lines ?? (await lookAtRows(file))
  const part = partOfSet(file)
  return part === null ? found : { ...found, hint: part }
}

async function lookAtArrays(file: string): Promise<Findings> {
  const names = await listNpz(file)
  const has = (...wanted: readonly string[]): boolean => wanted.every((name) => names.includes(name))
  const segments = (because: string): Findings => ({ ...NOTHING, kind: 'segment-pairs', because })
  if (has('obs_1', 'obs_2', 'label'))
    return segments('it holds the arrays obs_1, obs_2 and label: pairs of segments in CPL’s older form')
  if ((has('obs') || has('obs.state')) && has('action', 'reward'))
    return segments(
      has('done')
        ? 'it holds the arrays obs, action, reward and done: steps in a row, from which segments are cut'
        : `it holds the arrays ${listed(names.slice(0, 4))}: segments, as CPL and Pairlab write them`,
    )
  throw new AppError({
    code: 'format-unknown',
    message:
      names.length === 0
        ? `${file} is a zip archive or a spreadsheet, not a file of data.`
        : `${file} holds the arrays ${listed(names.slice(0, 12))}, which are no segments.`,
    hint:
      names.length === 0
        ? 'Unpack it, or save the sheet as CSV, and give that file.'
        : 'Segments have obs, action and reward, with a score such as rl_sum; or obs_1, obs_2 and label.',
  })
}

/** A file that lies among the parts of a set of judged lists is told so: by itself it is only texts. */
function partOfSet(file: string): string | null {
  const folder = path.dirname(file)
  const isPart = /^(corpus|queries)\.jsonl(\.gz)?$|^(collection|queries\..+|qrels\..+)\.tsv(\.gz)?$/.test(
    path.basename(file),
  )
  if (!isPart || !(isBeirFolder(folder) || isMarcoFolder(folder))) return null
  return `It is a part of a set of judged lists: give its folder, ${folder}, to import the whole.`
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Of the files that stand directly in it, and of qrels/. */
function sizeOfFolder(folder: string): number {
  const own = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile())
  const judgments = path.join(folder, 'qrels')
  const below = existsSync(judgments) && statSync(judgments).isDirectory() ? readdirSync(judgments) : []
  return (
    own.reduce((sum, { name }) => sum + sizeOf(path.join(folder, name)), 0) +
    below.reduce((sum, name) => sum + sizeOf(path.join(judgments, name)), 0)
  )
}
