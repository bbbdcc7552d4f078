import { existsSync } from 'node:fs'
import path from 'node:path'
import type { AlgorithmRole, CheckpointChoice } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { findAlgorithm } from '../../core/learn/registry.ts'
import { bestStepOf } from '../runs/chosen.ts'
import { listCheckpoints } from '../store/metrics.ts'
import { findRun, missingRun, type RunEntry } from '../store/runs.ts'
import type { HandlerDeps } from '../handlers/deps.ts'

/** A checkpoint that a request names. */
export interface StartPoint {
  readonly run: RunEntry
  /** Absolute folder. */
  readonly path: string
  readonly hash: string
  readonly step: number
}

/**
 * @param use what it is wanted for, as a verb: "start from"
 * @throws AppError `not-found`, `spec-invalid`: the run is of another role, or has no such checkpoint
 */
export function findCheckpoint(
  deps: Pick<HandlerDeps, 'db' | 'runs'>,
  runId: string,
  which: CheckpointChoice,
  use: string,
  role: AlgorithmRole | null,
): StartPoint {
  const run = findRun(deps.db, runId)
  if (run === null) throw missingRun(deps.db, runId, ` to ${use}`)
  const actual = findAlgorithm(run.method).role
  if (role !== null && actual !== role)
    throw new AppError({
      code: 'spec-invalid',
      message: `The run "${run.name}" is a ${actual.replace('-', ' ')}; to ${use} it, a ${role.replace('-', ' ')} is needed.`,
      hint: 'Choose another run.',
    })
  const folder = deps.runs.folderOf(runId)
  const present = listCheckpoints(deps.db, run.runNo).filter((entry) => existsSync(path.join(folder, entry.path)))
  if (typeof which === 'number' && present.length > 0 && !present.some(({ step }) => step === which))
    throw new AppError({
      code: 'spec-invalid',
      message: `The run "${run.name}", seed ${run.seed}, has no checkpoint of step ${which}.`,
      hint: `It has those of ${present.map(({ step }) => step).join(', ')}.`,
    })
  const best = typeof which === 'number' ? which : which === 'best' ? bestStepOf(deps.db, run) : null
  const chosen = present.find(({ step }) => step === best) ?? present.at(-1)
  if (chosen === undefined)
    throw new AppError({
      code: 'spec-invalid',
      message: `The run "${run.name}" has no checkpoint ${typeof which === 'number' ? `of step ${which} ` : ''}to ${use}.`,
      hint: 'Wait until it has one, or choose another run.',
    })
  return { run, path: path.join(folder, chosen.path), hash: chosen.sha256, step: chosen.step }
}
