import type { CheckpointChoice } from './domain.ts'

/** "last checkpoint, step 200", "checkpoint of step 40"; without the step where it is not known. */
export function sayCheckpoint({
  checkpoint,
  step,
}: {
  readonly checkpoint: CheckpointChoice
  readonly step?: number | undefined
}): string {
  if (typeof checkpoint === 'number') return `checkpoint of step ${checkpoint}`
  return step === undefined ? `${checkpoint} checkpoint` : `${checkpoint} checkpoint, step ${step}`
}
