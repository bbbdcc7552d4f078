import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Estimate } from '../../../shared/contract/runs.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { AppError, fromWire } from '../../../shared/errors.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import { explainDeath } from './death.ts'
import { signalTrainer, startTrainer } from './executors/local.ts'
import { readEvents } from '../../base/run-folder/events.ts'
import { runPaths } from '../../base/run-folder/paths.ts'
import { writeSpec } from '../../base/run-folder/spec.ts'

export interface EstimateOptions {
  readonly spec: RunSpec
  /** How many runs the request makes: one for each seed. */
  readonly runs: number
  readonly worker: ProgramCommand
  readonly scratchFolder: string
  /** Ends the dry run; its reason is thrown. */
  readonly signal: AbortSignal
}

const LIMIT_MS = 180_000

/** What a dry run reports as facts; the trainer's estimate job writes them. */
export const estimateFacts = z.object({
  parameterCount: z.number(),
  stepMs: z.number(),
  stepSpreadMs: z.number(),
  stepsRun: z.number(),
  /** Of an evaluation in between, and of the last, which looks at everything. */
  evaluationMs: z.number(),
  lastEvaluationMs: z.number(),
  peakBytes: z.number(),
  baseBytes: z.number(),
  weightBytes: z.number(),
  optimizerBytes: z.number(),
  activationBytes: z.number(),
  checkpointBytes: z.number(),
  setupMs: z.number(),
  /** What a run does before its first step beyond what the dry run did of it. */
  setupLeftMs: z.number().default(0),
  /** Of completions; other kinds of data have none that could be cut. */
  cutShare: z.number().default(0),
})

/**
 * Real steps at the longest batch, in a child process and a folder of their own.
 * @throws AppError what the dry run failed with
 */
export async function runEstimate(options: EstimateOptions): Promise<Estimate> {
  options.signal.throwIfAborted()
  mkdirSync(options.scratchFolder, { recursive: true })
  const folder = mkdtempSync(path.join(options.scratchFolder, 'estimate-'))
  try {
    writeSpec(folder, options.spec)
    const child = startTrainer(options.worker, folder, 'estimate')
    const kill = (): void => void (child.identity !== null && signalTrainer(child.identity, 'SIGKILL'))
    const timer = setTimeout(kill, LIMIT_MS)
    options.signal.addEventListener('abort', kill)
    const end = await child.ended
    clearTimeout(timer)
    options.signal.removeEventListener('abort', kill)
    options.signal.throwIfAborted()
    return readEstimate(options, folder, () => {
      const death = explainDeath(folder, end, false)
      return death.error === null
        ? tooSlow()
        : fromWire(end.signal === 'SIGKILL' ? { ...death.error, ...tooSlowWords() } : death.error)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function tooSlowWords(): { message: string; hint: string } {
  return {
    message: `The dry run did not end within ${LIMIT_MS / 60_000} minutes.`,
    hint: 'Choose a smaller model, a shorter longest sequence or a smaller micro-batch.',
  }
}

function tooSlow(): AppError {
  return new AppError({ code: 'trainer-failed', ...tooSlowWords() })
}

function readEstimate({ spec, runs }: EstimateOptions, folder: string, death: () => AppError): Estimate {
  const facts: Record<string, unknown> = {}
  const warnings: string[] = []
  let ready: { readonly engine: EngineName; readonly device: string } = { engine: spec.engine, device: '' }
  let finished = false
  for (let offset = 0; ;) {
    const batch = readEvents(runPaths(folder).events, offset)
    if (batch.offset === offset) break
    offset = batch.offset
    for (const event of batch.events) {
      if (event.type === 'failed') throw fromWire(event.error)
      if (event.type === 'ready') ready = event
      if (event.type === 'fact') Object.assign(facts, event.facts)
      if (event.type === 'warning') warnings.push(event.message)
      if (event.type === 'done') finished = true
    }
  }
  if (!finished) throw death()
  const measured = estimateFacts.parse(facts)
  const training = spec.training
  const { evalEvery, steps } = training
  const inBetween = evalEvery > 0 ? 1 + Math.floor((steps - 1) / evalEvery) : 0 // one before the first step
  const evaluationsMs = measured.evaluationMs * inBetween + measured.lastEvaluationMs
  return {
    engine: ready.engine,
    device: ready.device,
    engineWhy: ready.engine === spec.engine ? spec.engineChoice.why : `${spec.engine} could not be opened`,
    parameterCount: measured.parameterCount,
    stepMs: measured.stepMs,
    stepSpreadMs: measured.stepSpreadMs,
    stepsRun: measured.stepsRun,
    totalMs: (measured.setupMs + measured.setupLeftMs + measured.stepMs * steps + evaluationsMs) * runs,
    runs,
    peakBytes: measured.peakBytes,
    parts: [
      { name: 'program', bytes: measured.baseBytes },
      { name: 'weights', bytes: measured.weightBytes },
      { name: 'optimizer', bytes: measured.optimizerBytes },
      { name: 'activations', bytes: measured.activationBytes },
    ],
    checkpointBytes: measured.checkpointBytes,
    warnings,
  }
}
