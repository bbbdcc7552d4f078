import type { SplitName } from '../../../shared/data-kinds.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import type { ReadableDb } from '../store/open.ts'
import { eachPromptHash } from '../store/items.ts'
import { inSlices } from '../store/slices.ts'
import { createPromptTable } from './import-split.ts'

/** The sides that `assignSplits` gives the pairs of a data set, found in slices. @returns side of the pair at an index */
export async function drawSides(
  db: ReadableDb,
  datasetId: string,
  spec: SplitSpec,
): Promise<(index: number) => SplitName> {
  const prompts = createPromptTable()
  await inSlices(eachPromptHash(db, datasetId, prompts.add))
  return prompts.assign(spec)
}
