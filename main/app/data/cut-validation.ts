import type { SplitName } from '../../../shared/data-kinds.ts'
import type { DataSpec } from '../../../shared/run-spec.ts'
import { inSlices } from '../store/slices.ts'
import { createPromptTable } from './import-split.ts'
import type { Rows } from './view-rows.ts'

/** Fewer prompts than this are left to training: half of what can be learned from is too much for a choice. */
export const FEWEST_GROUPS = 10
const USUAL_SHARE = 0.1

/** An item that counts, as a pass over the rows meets it. */
export interface Met {
  readonly promptHash: string
  readonly side: SplitName
}

/**
 * A data set may have a test side and none to validate on. Nothing may be chosen by the test side, so a part of the training
 * side is set aside, whole prompts at a time, drawn from the seed of the split.
 * @param pass goes over the rows once and tells of each item that counts
 * @returns prompts of the part; null where there is a validation side, no test side, or too little to cut from
 */
export async function cutValidation(
  { split }: Pick<DataSpec, 'split'>,
  pass: (tell: (item: Met) => void) => Rows,
): Promise<ReadonlySet<string> | null> {
  const counts = { train: 0, validation: 0, test: 0 }
  const hashes: string[] = []
  const rows = pass(({ promptHash, side }) => {
    counts[side] += 1
    if (side === 'train') hashes.push(promptHash)
  })
  await inSlices(
    (function* () {
      for (const _ of rows) {
        yield
        if (counts.validation > 0) return // which closes the rows too
      }
    })(),
  )
  if (counts.validation > 0 || counts.test === 0) return null
  const prompts = createPromptTable()
  for (const hash of hashes) prompts.add(hash)
  if (prompts.promptCount < FEWEST_GROUPS) return null
  const share = split.validation > 0 ? split.validation : USUAL_SHARE
  const sideOf = await prompts.assign({ seed: split.seed, validation: share, test: 0 })
  return new Set(hashes.filter((_hash, at) => sideOf(at) === 'validation'))
}
