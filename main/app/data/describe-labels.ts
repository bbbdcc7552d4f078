import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DatasetDetail } from '../../../shared/contract/datasets.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import { pagesOfAnswers, type PairAnswers } from '../store/answers.ts'
import type { ReadableDb } from '../store/open.ts'
import { createLengths, type Lengths } from './lengths.ts'
import { COUNTING, majorityOf, type Counting } from '../../core/formats/majority.ts'

export interface LabelStatistics {
  readonly balance: Omit<DatasetDetail['balance'], 'unlabeled'>
  readonly lengths: Lengths
  readonly perAnnotator: DatasetDetail['perAnnotator']
}

interface AnnotatorCounts {
  a: number
  b: number
  tie: number
  bothBad: number
  skip: number
  shared: number
  withMajority: number
}

const FIELD = { a: 'a', b: 'b', tie: 'tie', 'both-bad': 'bothBad', skip: 'skip' } as const satisfies Record<
  Outcome,
  keyof AnnotatorCounts
>

/** Every pair with answers, with other work let in between: a label must not wait for statistics. */
export async function* eachAnswered(db: ReadableDb, datasetId: string): AsyncGenerator<readonly PairAnswers[]> {
  for (const page of pagesOfAnswers(db, datasetId)) {
    yield page
    await nextTurn()
  }
}

export async function measureLabels(db: ReadableDb, datasetId: string): Promise<LabelStatistics> {
  const balance = { a: 0, b: 0, tie: 0, bothBad: 0 }
  const lengths = createLengths()
  const people = new Map<string, AnnotatorCounts>()
  for await (const page of eachAnswered(db, datasetId)) {
    for (const { given, aWords, bWords } of page) {
      const majority = majorityOf(given.map((answer) => answer.outcome))
      if (majority !== null) balance[FIELD[majority]] += 1
      if (majority === 'a') lengths.add(aWords, bWords)
      if (majority === 'b') lengths.add(bWords, aWords)
      countPeople(people, given)
    }
  }
  return {
    balance,
    lengths: lengths.finish(),
    perAnnotator: [...people]
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([annotator, { shared, withMajority, ...counts }]) => ({
        annotator,
        ...counts,
        withMajority: shared === 0 ? null : withMajority / shared,
      })),
  }
}

function countPeople(people: Map<string, AnnotatorCounts>, given: PairAnswers['given']): void {
  const leader = uniqueLeader(given)
  const counting = given.filter((answer) => answer.outcome !== 'skip').length
  for (const { annotatorId, outcome } of given) {
    const counts = people.get(annotatorId) ?? { a: 0, b: 0, tie: 0, bothBad: 0, skip: 0, shared: 0, withMajority: 0 }
    people.set(annotatorId, counts)
    counts[FIELD[outcome]] += 1
    if (outcome === 'skip' || counting < 2) continue
    counts.shared += 1
    if (outcome === leader) counts.withMajority += 1
  }
}

/** The outcome that alone has most votes; where two lead together nobody is with the majority. */
function uniqueLeader(given: PairAnswers['given']): Counting | null {
  const counts = COUNTING.map((outcome) => given.filter((answer) => answer.outcome === outcome).length)
  const most = Math.max(...counts)
  return counts.filter((count) => count === most).length === 1 ? (COUNTING[counts.indexOf(most)] ?? null) : null
}
