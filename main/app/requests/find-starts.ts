import type { CheckpointChoice } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import { listRuns, type RunEntry } from '../store/runs.ts'
import { findCheckpoint, type StartPoint } from './find-checkpoint.ts'

/**
 * Where each seed begins: at the finished run of its own seed, of the configuration of the run that was named; the newest
 * where there are several. Seeds without such a run are told, all at once.
 */
export function findStarts(
  deps: Pick<HandlerDeps, 'db' | 'runs'>,
  named: StartPoint,
  { checkpoint, seeds }: { readonly checkpoint: CheckpointChoice; readonly seeds: readonly number[] },
  wrong: (path: string, message: string) => void,
): Map<number, StartPoint> {
  const partners = new Map<number, RunEntry>()
  const group = listRuns(deps.db).filter((run) => run.groupHash === named.run.groupHash && run.state === 'finished')
  for (const run of [...group.toSorted((x, y) => y.createdAtMs - x.createdAtMs), named.run])
    if (!partners.has(run.seed) || run.runId === named.run.runId) partners.set(run.seed, run)
  const lonely = seeds.filter((seed) => !partners.has(seed))
  if (lonely.length > 0)
    wrong(
      'seeds',
      `${lonely.length === 1 ? `Seed ${lonely[0]} has` : `Seeds ${lonely.join(', ')} have`} no partner: of ${named.run.name} there are finished runs of ${partners.size === 1 ? 'seed' : 'seeds'} ${[...partners.keys()].toSorted((x, y) => x - y).join(', ')}.`,
    )
  const starts = new Map<number, StartPoint>()
  for (const seed of seeds) {
    const run = partners.get(seed)
    if (run === undefined) continue
    try {
      starts.set(seed, findCheckpoint(deps, run.runId, checkpoint, 'start from', null))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      wrong('model.runId', `${error.message} ${error.hint}`)
    }
  }
  return starts
}
