import { waitUntil } from './make-app.ts'
import { allEvents, exitOf, spawnTrainer } from './tiny-run.ts'

/**
 * Trains until a checkpoint is written, of the step if one is named, and kills the process there. → `SIGKILL`, or how it
 * ended where it was faster
 */
export async function killAfterCheckpoint(
  folder: string,
  step?: number,
  env: Readonly<Record<string, string>> = {},
): Promise<number | string | null> {
  const child = spawnTrainer(folder, 'train', env)
  const ended = exitOf(child)
  await waitUntil(
    `the checkpoint of ${step === undefined ? 'any step' : `step ${step}`}`,
    () => allEvents(folder).some((event) => event.type === 'checkpoint' && (step === undefined || event.step === step)),
    200_000, // an emulated graphics card takes long, and so does a loaded machine
  )
  child.kill('SIGKILL')
  return ended
}
