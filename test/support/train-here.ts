import { openEngine as openAny } from '../../main/workers/engine/choose.ts'
import { findResumePoint, train } from '../../main/workers/trainer/loop.ts'
import { PROTOCOL_VERSION } from '../../main/base/run-folder/protocol.ts'
import { createRunContext, type RunContext } from '../../main/workers/trainer/run-context.ts'
import { openEventLog } from '../../main/base/run-folder/events.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { tf } from '../../main/core/learn/tf.ts'
import type { EngineName } from '../../shared/domain.ts'

export interface TrainedHere {
  readonly outcome: 'finished' | 'cancelled' | 'interrupted'
  readonly resumedFromStep: number | null
  /** Held after each step. */
  readonly tensors: readonly number[]
}

let engine: Promise<unknown> | null = null

/** Opens an engine, once a process; if nobody asked for another, the one that people train with. */
export async function openEngine(name: EngineName = 'wasm'): Promise<void> {
  await (engine ??= openAny(name, { threads: 1, enginesFolder: null }))
}

/**
 * What a training process does with a run folder, in this process, on the engine that is open: where many methods are tried,
 * starting a process for each would take most of the time.
 * @param stopAfter the step at whose checkpoint it is stopped, without saving again; null to let it finish
 */
export async function trainHere(folder: string, stopAfter: number | null = null): Promise<TrainedHere> {
  await openEngine()
  const log = openEventLog(folder)
  const tensors: number[] = []
  let stopped = false
  const plain = createRunContext(readSpec(folder), folder, log, { engine: readSpec(folder).engine, obeys: false })
  const context: RunContext = Object.create(plain, {
    emit: {
      value: (...[body, durable]: Parameters<RunContext['emit']>) => {
        plain.emit(body, durable)
        if (body.type === 'checkpoint' && body.step === stopAfter) stopped = true
      },
    },
    command: { value: () => (stopped ? 'stop' : null) },
    warn: { value: (message: string, hint: string) => plain.emit({ type: 'warning', message, hint }) }, // to the log alone
    stepDone: {
      value: (step: number, trainMs: number) => {
        plain.stepDone(step, trainMs)
        tensors.push(tf.memory().numTensors)
      },
    },
  }) as RunContext // its other members are the plain one's
  const { checkpoint } = await findResumePoint(folder)
  const resumedFromStep = checkpoint?.state.step ?? null
  log.append(
    {
      type: 'ready',
      protocolVersion: PROTOCOL_VERSION,
      engine: readSpec(folder).engine,
      device: 'cpu',
      pid: process.pid,
      startedAtMs: 0,
      resumedFromStep,
    },
    true,
  )
  try {
    const { outcome } = await train(context, checkpoint)
    return { outcome, resumedFromStep, tensors }
  } finally {
    log.close()
    tf.disposeVariables() // a process of its own would end here
  }
}
