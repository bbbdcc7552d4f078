import type { SplitName } from '../../../shared/data-kinds.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import type { ReadableDb } from '../store/open.ts'
import { findDataset, grows } from '../store/datasets.ts'
import { eachPromptHash } from '../store/items.ts'
import { sideByItself } from '../store/sides.ts'
import { inSlices } from '../store/slices.ts'
import { createPromptTable } from './import-split.ts'

/** Of a data set that grows each prompt by itself; else the sides that `assignSplits` gives the pairs of a data set, found in slices. @returns side of the pair at an index */
export async function drawSides(
  db: ReadableDb,
  datasetId: string,
  spec: SplitSpec,
): Promise<(index: number) => SplitName> {
  const dataset = findDataset(db, datasetId)
  if (dataset !== null && grows(dataset)) {
    const hashes: string[] = []
    await inSlices(eachPromptHash(db, datasetId, (hash) => hashes.push(hash)))
    return (index) => sideByItself(hashes[index] ?? '', spec)
  }
  const prompts = createPromptTable()
  await inSlices(eachPromptHash(db, datasetId, prompts.add))
  return prompts.assign(spec)
}
