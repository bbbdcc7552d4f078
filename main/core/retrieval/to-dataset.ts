// Collections and feature files as items of a data set of the kind `rankings`.
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import type { FeatureQuery, JudgedQuery, RankingDocument } from '../../../shared/rankings.ts'
import { eachOwnCopy } from '../learn/ranking/own-copies.ts'
import type { Collection, FileProblem, Query } from './collection.ts'
import { isBeirFolder, readBeirFolder } from './read-beir.ts'
import { isMarcoFolder, readMarcoFolder } from './read-msmarco.ts'
import { readFeatureLists, readFeatureRows, widestFeature } from './read-letor.ts'

export interface RankingQueryPart {
  readonly queryId: string
  readonly line: number
  readonly title: string
  readonly split: SplitName | null
  readonly data: JudgedQuery | FeatureQuery
}

/** Queries come before documents; problems stand where they were found. */
export type RankingPart =
  | { readonly query: RankingQueryPart }
  | { readonly document: RankingDocument }
  | { readonly problem: RowProblem }

/** Names of a split's files, those of BEIR and of LETOR. */
const SPLITS: Readonly<Record<string, SplitName>> = {
  train: 'train',
  dev: 'validation',
  val: 'validation',
  vali: 'validation',
  valid: 'validation',
  validation: 'validation',
  test: 'test',
}
/** A query that is judged in several splits belongs to the one that is held out furthest. */
const HELD_OUT: readonly SplitName[] = ['train', 'validation', 'test']

/** The side of a file's own name, null where it says none: dev.small is of dev. */
export function splitOfName(name: string): SplitName | null {
  return SPLITS[name.toLowerCase().split('.')[0]!] ?? null
}

/** The one of two sides that is held out further. */
export function furtherOut(one: SplitName, other: SplitName): SplitName {
  return HELD_OUT.indexOf(one) > HELD_OUT.indexOf(other) ? one : other
}

/** True where a folder has what `readRankings` reads. */
export function isRankingFolder(folder: string): boolean {
  return isBeirFolder(folder) || isMarcoFolder(folder) || featureFiles(folder).length > 0
}

/** @throws AppError `dataset-invalid`, `file-not-found` where `readRankings` has nothing to read */
export function requireRankings(source: string): void {
  const entry = statSync(source, { throwIfNoEntry: false })
  if (entry === undefined)
    throw new AppError({
      code: 'file-not-found',
      message: `There is nothing at ${source}.`,
      hint: 'Check the path; it may have been moved or renamed.',
    })
  if (entry.isDirectory() && !isRankingFolder(source))
    throw new AppError({
      code: 'dataset-invalid',
      message: `${source} holds neither a BEIR set nor MS MARCO’s tables nor LETOR files.`,
      hint: 'A BEIR set has corpus.jsonl, queries.jsonl and qrels/; MS MARCO collection.tsv, queries.<split>.tsv and qrels.<split>.tsv; a LETOR folder train.txt, vali.txt and test.txt.',
    })
}

/** @throws AppError `dataset-invalid`, `file-not-found` */
export async function* readRankings(source: string): AsyncGenerator<RankingPart> {
  requireRankings(source)
  if (!statSync(source).isDirectory())
    yield* readFeatures([{ file: source, name: path.basename(source), split: splitOfName(path.basename(source)) }])
  else if (isBeirFolder(source)) yield* readSet(readBeirFolder, source)
  else if (isMarcoFolder(source)) yield* readSet(readMarcoFolder, source)
  else yield* readFeatures(featureFiles(source))
}

type ReadFolder = (folder: string, problems: FileProblem[]) => Promise<Collection>

async function* readSet(readFolder: ReadFolder, folder: string): AsyncGenerator<RankingPart> {
  const problems: FileProblem[] = []
  let set: Collection
  try {
    set = await readFolder(folder, problems)
  } catch (error) {
    for (const problem of problems) yield { problem: inFile(problem) } // why there is nothing to read
    throw error
  }
  for (const problem of set.problems) yield { problem: inFile(problem) }
  const splitOf = new Map<string, SplitName>()
  const judgments = new Map<string, Map<string, number>>()
  for (const [name, list] of Object.entries(set.judgments)) {
    const split = splitOfName(name) ?? 'test'
    for (const { queryId, docId, grade } of list) {
      const before = splitOf.get(queryId)
      splitOf.set(queryId, before === undefined ? split : furtherOut(split, before))
      const grades = judgments.get(queryId) ?? new Map<string, number>()
      judgments.set(queryId, grades)
      grades.set(docId, Math.max(grade, grades.get(docId) ?? 0))
    }
  }
  for (const [at, { queryId, text }] of set.queries.entries()) {
    const grades = judgments.get(queryId)
    if (grades !== undefined)
      yield {
        query: {
          queryId,
          line: at + 1,
          title: text,
          split: splitOf.get(queryId) ?? null,
          data: { kind: 'query', text, judgments: [...grades] },
        },
      }
  }
  for (const document of set.documents) yield { document }
  for (const problem of await ownCopyWarnings(
    set.queries.map((query, at) => ({ ...query, line: at + 1 })).filter(({ queryId }) => judgments.has(queryId)),
    set.documents,
  ))
    yield { problem }
}

/** @param queries those that are judged */
async function ownCopyWarnings(
  queries: readonly (Query & { readonly line: number })[],
  documents: readonly RankingDocument[],
): Promise<RowProblem[]> {
  const work = eachOwnCopy(queries, documents)
  let step = work.next()
  for (; step.done !== true; step = work.next()) await nextTurn() // whoever watches sees that it goes on
  const { sameId, sameText } = step.value
  const warn = (code: string, of: ReadonlySet<string>, reason: string, hint: string): RowProblem[] => {
    const line = queries.find(({ queryId }) => of.has(queryId))?.line
    return line === undefined
      ? []
      : [
          {
            line,
            severity: 'warning',
            code,
            reason: `Queries: ${of.size} of ${queries.length} queries ${reason}; the first is ${[...of][0] ?? ''}.`,
            hint,
          },
        ]
  }
  return [
    ...warn(
      'query-in-corpus',
      sameId,
      'are documents of the collection too, with the same id',
      'Each is left out of its own ranking, as BEIR does it: of the candidates, the training, the measures and the files.',
    ),
    ...warn(
      'query-text-in-corpus',
      sameText,
      'have the very words of a document with another id',
      'Such documents stay in the ranking, as in BEIR, and are likely to come first. Take them out of the corpus if they are copies.',
    ),
  ]
}

/** Twice through the files: the data set's width is known only at their end, and they may be larger than memory. */
async function* readFeatures(
  files: readonly { readonly file: string; readonly name: string; readonly split: SplitName | null }[],
): AsyncGenerator<RankingPart> {
  let width = 0
  for (const { file, name } of files) {
    try {
      width = Math.max(width, await widestFeature(file))
    } catch (error) {
      for await (const rows of readFeatureRows(file))
        for (const { problem } of rows) if (problem !== null) yield { problem: inFile({ ...problem, file: name }) }
      throw error
    }
  }
  const seen = new Set<string>()
  for (const { file, name, split } of files) {
    for await (const { list, problem } of readFeatureLists(file, name, width)) {
      if (list === null) {
        yield { problem: inFile(problem) }
        continue
      }
      const { queryId, grades, docIds, features } = list
      // Some sets count their queries anew in each file.
      const id = seen.has(queryId) ? `${name}:${queryId}` : queryId
      seen.add(id)
      const rows = docIds.map((_docId, at) =>
        Array.from(features.subarray(at * width, (at + 1) * width), (value) => Number(value.toPrecision(9))),
      )
      yield {
        query: {
          queryId: id,
          line: seen.size,
          title: `Query ${id}`,
          split,
          data: { kind: 'features', docIds: [...docIds], grades: [...grades], features: rows },
        },
      }
    }
  }
}

/** Those of a folder, each with its side. */
export function featureFiles(
  folder: string,
): { readonly file: string; readonly name: string; readonly split: SplitName }[] {
  return (['train', 'vali', 'valid', 'dev', 'test'] as const).flatMap((base) =>
    [`${base}.txt`, `${base}.txt.gz`].flatMap((name) => {
      const file = path.join(folder, name)
      return existsSync(file) ? [{ file, name, split: SPLITS[base]! }] : []
    }),
  )
}

function inFile({ file, reason, ...problem }: FileProblem): RowProblem {
  return { ...problem, reason: `${file}: ${reason}` }
}
