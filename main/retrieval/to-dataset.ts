// Collections and feature files as items of a data set of the kind `rankings`.
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { RowProblem } from '../../shared/contract/datasets.ts'
import type { SplitName } from '../../shared/data-kinds.ts'
import { AppError } from '../../shared/errors.ts'
import type { FeatureQuery, JudgedQuery, RankingDocument } from '../../shared/rankings.ts'
import type { FileProblem } from './collection.ts'
import { isBeirFolder, readBeirFolder } from './read-beir.ts'
import { readFeatureFile } from './read-letor.ts'

export interface RankingQueryPart {
  readonly queryId: string
  readonly line: number
  readonly title: string
  readonly split: SplitName | null
  readonly data: JudgedQuery | FeatureQuery
}

export interface RankingSource {
  readonly queries: readonly RankingQueryPart[]
  readonly documents: readonly RankingDocument[]
  readonly problems: readonly RowProblem[]
}

/** Names of a split's files, those of BEIR and of LETOR. */
const SPLITS: Readonly<Record<string, SplitName>> = { train: 'train', dev: 'validation', val: 'validation', vali: 'validation', valid: 'validation', validation: 'validation', test: 'test' }
/** A query that is judged in several splits belongs to the one that is held out furthest. */
const HELD_OUT: readonly SplitName[] = ['train', 'validation', 'test']

/** True where `readRankings` has something to read. */
export function looksLikeRankings(source: string): boolean {
  if (statSync(source, { throwIfNoEntry: false })?.isDirectory() === true) return isBeirFolder(source) || featureFiles(source).length > 0
  return /\.(txt|svm|svmlight|letor)(\.gz)?$/i.test(source)
}

/** @throws AppError `dataset-invalid`, `file-not-found` */
export async function readRankings(source: string): Promise<RankingSource> {
  const entry = statSync(source, { throwIfNoEntry: false })
  if (entry === undefined) throw new AppError({ code: 'file-not-found', message: `There is nothing at ${source}.`, hint: 'Check the path; it may have been moved or renamed.' })
  if (!entry.isDirectory()) return readFeatures([{ file: source, name: path.basename(source), split: SPLITS[path.basename(source).split('.')[0]!.toLowerCase()] ?? null }])
  if (isBeirFolder(source)) return readBeir(source)
  const files = featureFiles(source)
  if (files.length > 0) return readFeatures(files)
  throw new AppError({ code: 'dataset-invalid', message: `${source} holds neither a BEIR set nor LETOR files.`, hint: 'A BEIR set has corpus.jsonl, queries.jsonl and qrels/; a LETOR folder train.txt, vali.txt and test.txt.' })
}

async function readBeir(folder: string): Promise<RankingSource> {
  const set = await readBeirFolder(folder)
  const splitOf = new Map<string, SplitName>()
  const judgments = new Map<string, Map<string, number>>()
  for (const [name, list] of Object.entries(set.judgments)) {
    const split = SPLITS[name.toLowerCase()] ?? 'test'
    for (const { queryId, docId, grade } of list) {
      const before = splitOf.get(queryId)
      if (before === undefined || HELD_OUT.indexOf(split) > HELD_OUT.indexOf(before)) splitOf.set(queryId, split)
      const grades = judgments.get(queryId) ?? new Map<string, number>()
      judgments.set(queryId, grades)
      grades.set(docId, Math.max(grade, grades.get(docId) ?? 0))
    }
  }
  const queries = set.queries.flatMap(({ queryId, text }, at): RankingQueryPart[] => {
    const grades = judgments.get(queryId)
    return grades === undefined ? [] : [{ queryId, line: at + 1, title: text, split: splitOf.get(queryId) ?? null, data: { kind: 'query', text, judgments: [...grades] } }]
  })
  return { queries, documents: set.documents, problems: set.problems.map(inFile) }
}

async function readFeatures(files: readonly { readonly file: string; readonly name: string; readonly split: SplitName | null }[]): Promise<RankingSource> {
  const sets = []
  for (const { file, name, split } of files) sets.push({ split, name, set: await readFeatureFile(file, name) })
  const width = Math.max(...sets.map(({ set }) => set.featureCount))
  const seen = new Set<string>()
  const queries = sets.flatMap(({ set, split, name }) => set.lists.flatMap(({ queryId, grades, docIds, features }): RankingQueryPart[] => {
    // Some sets count their queries anew in each file.
    const id = seen.has(queryId) ? `${name}:${queryId}` : queryId
    seen.add(id)
    const rows = docIds.map((_docId, at) => Array.from({ length: width }, (_none, feature) => (feature < set.featureCount ? Number(features[at * set.featureCount + feature]!.toPrecision(9)) : 0)))
    return [{ queryId: id, line: seen.size, title: `Query ${id}`, split, data: { kind: 'features', docIds: [...docIds], grades: [...grades], features: rows } }]
  }))
  return { queries, documents: [], problems: sets.flatMap(({ set }) => set.problems.map(inFile)) }
}

function featureFiles(folder: string): { readonly file: string; readonly name: string; readonly split: SplitName }[] {
  return (['train', 'vali', 'valid', 'dev', 'test'] as const).flatMap((base) => [`${base}.txt`, `${base}.txt.gz`].flatMap((name) => {
    const file = path.join(folder, name)
    return existsSync(file) ? [{ file, name, split: SPLITS[base]! }] : []
  }))
}

function inFile({ file, reason, ...problem }: FileProblem): RowProblem {
  return { ...problem, reason: `${file}: ${reason}` }
}
