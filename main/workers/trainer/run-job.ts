// The training process: `entry.ts <train | estimate> <run folder>`. Everything it says goes to the folder's event log.
import { toWire, type ErrorCode } from '../../../shared/errors.ts'
import { openEventLog, type EventLog } from '../../base/run-folder/events.ts'
import { systemError } from '../../base/files/system-error.ts'
import { acquireRunLock } from '../../base/run-folder/lock.ts'
import { readSpec } from '../../base/run-folder/spec.ts'
import { drySpec, estimate } from './estimate.ts'
import { findResumePoint, train, type Outcome } from './loop.ts'
import { nameMemoryFailure } from '../memory-failure.ts'
import { watchMachine } from './machine-watch.ts'
import { openRunEngine } from './open-engine.ts'
import { PROTOCOL_VERSION, TRAINER_EXIT } from '../../base/run-folder/protocol.ts'
import { createRunContext, StopRequest, type RunContext } from './run-context.ts'

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  'spec-invalid': TRAINER_EXIT.badSpec,
  'run-conflict': TRAINER_EXIT.badSpec,
  'engine-unavailable': TRAINER_EXIT.engineUnavailable,
  'out-of-memory': TRAINER_EXIT.outOfMemory,
  'disk-full': TRAINER_EXIT.diskFull,
}

export type TrainerJob = 'train' | 'estimate'

/** @returns the process's exit status */
export async function runJob(job: TrainerJob, folder: string): Promise<number> {
  let release: () => void
  try {
    release = acquireRunLock(folder)
  } catch (error) {
    // The log belongs to the trainer that has the lock.
    console.error(error)
    return TRAINER_EXIT.badSpec
  }
  const log = openEventLog(folder)
  const seqBefore = log.lastSeq
  try {
    await work(job, folder, log)
    return TRAINER_EXIT.done
  } catch (error) {
    return reportFailure(log, error, log.lastSeq === seqBefore)
  } finally {
    log.close()
    release()
  }
}

async function work(job: TrainerJob, folder: string, log: EventLog): Promise<void> {
  const startedAtMs = Date.now()
  const asked = readSpec(folder)
  const spec = job === 'estimate' ? drySpec(asked) : asked
  const { engine, passedOver } = await openRunEngine(spec)
  const context = createRunContext(spec, folder, log, {
    engine: engine.name,
    obeys: job === 'train',
    dry: job === 'estimate',
    engineTrouble: () => engine.trouble?.() ?? null,
    machine: watchMachine(engine),
  })
  const { checkpoint, damaged } = await findResumePoint(folder)
  log.append(
    {
      type: 'ready',
      protocolVersion: PROTOCOL_VERSION,
      engine: engine.name,
      device: engine.device,
      pid: process.pid,
      startedAtMs,
      resumedFromStep: checkpoint?.state.step ?? null,
    },
    true,
  )
  for (const { name, error } of passedOver)
    context.warn(
      `The ${name} engine, which was chosen for this run, could not be used; the run is on ${engine.name}. ${error.message}`,
      error.hint,
    )
  for (const name of damaged)
    context.warn(`A checkpoint is damaged and was passed over: ${name}.`, 'An earlier one is used. Check the disk.')
  try {
    if (job === 'estimate') return await estimate(context, asked)
    const { outcome, summary } = await untilStopped(context, () => train(context, checkpoint))
    log.append({
      type: 'fact',
      facts: {
        peakBytes: process.resourceUsage().maxRSS * 1024,
        enginePeakBytes: engine.memory().peakBytes,
        ...(outcome === 'interrupted' && context.command() === 'stop-and-save' ? { stopped: true } : {}),
      },
    })
    log.append({ type: 'done', outcome, summary }, true)
  } catch (error) {
    throw engine.trouble?.() ?? error // the cause, where the error is what it led to
  }
}

/** A stop before the first step or after the last one ends the run as asked. */
async function untilStopped(
  context: RunContext,
  job: () => Promise<{ outcome: Outcome; summary: Record<string, number | null> }>,
): Promise<{ outcome: Outcome; summary: Record<string, number | null> }> {
  try {
    return await job()
  } catch (error) {
    if (!(error instanceof StopRequest)) throw error
    console.log(`stopped on request (${error.command}) in the run ${context.spec.runId}`)
    return { outcome: error.command === 'stop' ? 'cancelled' : 'interrupted', summary: {} }
  }
}

/** @param beforeReady nothing was written by this process yet; `ready` is its first word */
function reportFailure(log: EventLog, error: unknown, beforeReady: boolean): number {
  const named = nameMemoryFailure(
    error,
    'Lower the micro-batch or the longest sequence, compute layers twice (gradient checkpointing), train adapters (LoRA), or take a smaller model; then start again.',
  )
  console.error(named)
  const wire = toWire(systemError(named))
  try {
    log.append({ type: 'failed', error: wire, ...(beforeReady ? { beforeReady } : {}) }, true)
  } catch (logError) {
    console.error('the failure could not be written to the event log', logError)
  }
  return EXIT_OF[wire.code] ?? TRAINER_EXIT.failed
}
