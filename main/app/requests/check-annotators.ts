import { isAmong, shownNames } from '../store/annotators.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { namesWithAnswers } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { inSlices } from '../store/slices.ts'

/** Named at most. */
const MOST = 8

/** What is wrong with the annotators that a request names: a name with a slip in it would leave labels out and say nothing. */
export async function sayStrangers(
  db: ReadableDb,
  { datasetId, name }: DatasetEntry,
  asked: readonly string[],
): Promise<string | null> {
  if (asked.length === 0) return null
  const known = await inSlices(namesWithAnswers(db, datasetId))
  const shown = shownNames(db, datasetId)
  const strangers = asked.filter((one) => !known.some(isAmong([one, shown(one)], shown)))
  if (strangers.length === 0) return null
  const more = known.length > MOST ? ` and ${known.length - MOST} more` : ''
  return [
    `Nobody called ${strangers.map((one) => `"${one}"`).join(' or ')} has labeled anything in "${name}".`,
    known.length === 0
      ? 'It has no labels of people to choose from.'
      : `Its labels are of ${known.slice(0, MOST).join(', ')}${more}.`,
  ].join(' ')
}
