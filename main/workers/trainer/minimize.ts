import type { BatchParts } from '../../core/learn/batch-totals.ts'
import { disposeBatch } from '../../core/learn/batches.ts'
import type { Algorithm, Batch, BatchTotals, LossResult, Network } from '../../core/learn/define.ts'
import { variableGradients } from '../../core/learn/gradients.ts'
import type { Decoder } from '../../core/learn/models/decoder.ts'
import { stagedGradients, stagedVectors, type Staged } from '../../core/learn/models/pieces.ts'
import { learningRateAt, readGlobalNorm, type Optimizer } from '../../core/learn/optimizer.ts'
import { tf } from '../../core/learn/tf.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'

export interface Update {
  readonly metrics: Readonly<Record<string, number>>
  readonly gradNorm: number
  readonly learningRate: number
}

/**
 * One optimizer update from the sum of the parts' gradients: each part's loss is its share of the batch's, so the sum
 * is the gradient of the whole batch, whatever the parts. Owns every tensor it makes.
 * @param beforePart called with the part's number before its forward pass
 */
export async function minimizeParts<B extends Batch>(
  decoder: Decoder,
  optimizer: Optimizer,
  training: TrainingConfig,
  parts: BatchParts<B>,
  loss: (batch: B, totals: BatchTotals) => LossResult,
  beforePart: (part: number) => void,
): Promise<Update> {
  const reported: Record<string, tf.Scalar>[] = []
  let sums: Record<string, tf.Tensor> | null = null
  for (let part = 0; part < parts.count; part += 1) {
    beforePart(part)
    const batch = parts.make(part)
    const gradients = gradientsOf(decoder, () => loss(batch, parts.totals), reported)
    disposeBatch(batch)
    sums = sums === null ? gradients : addTo(sums, gradients)
  }
  return applyUpdate(optimizer, training, sums, reported)
}

/** One update on a loss that needs the vectors of its whole batch, computed and differentiated in pieces. */
export async function minimizeVectors<T>(
  decoder: Decoder,
  optimizer: Optimizer,
  training: TrainingConfig,
  staged: Staged<T>,
  loss: (vectors: tf.Tensor2D) => LossResult,
): Promise<Update> {
  const reported: Record<string, tf.Scalar>[] = []
  const vectors = staged.pieces.length === 1 ? null : await stagedVectors(staged)
  const { value, grads } = await stagedGradients(staged, vectors, (given) => reportedLoss(loss(given), reported))
  vectors?.dispose()
  value.dispose()
  return applyUpdate(optimizer, training, byParameter(decoder, grads), reported)
}

async function applyUpdate(
  optimizer: Optimizer,
  training: TrainingConfig,
  sums: Record<string, tf.Tensor> | null,
  reported: readonly Record<string, tf.Scalar>[],
): Promise<Update> {
  const learningRate = learningRateAt(optimizer.step, training)
  const gradNorm = sums === null ? 0 : await readGlobalNorm(Object.values(sums))
  // Weights are only touched by numbers: the caller sees what was wrong and ends the run.
  if (sums !== null && Number.isFinite(gradNorm)) optimizer.apply(sums, learningRate, gradNorm)
  tf.dispose(sums ?? [])
  const metrics = await readMetrics(reported)
  return { metrics, gradNorm, learningRate }
}

/** The parts with what the method needs to know of the whole batch first, where it asks for something. Dropout is off. */
export async function withBefore(
  algorithm: Algorithm,
  network: Network,
  config: unknown,
  parts: BatchParts,
): Promise<BatchParts> {
  const { before } = algorithm
  if (before === undefined) return parts
  let total = 0
  for (let part = 0; part < parts.count; part += 1) {
    const batch = parts.make(part)
    const share = tf.tidy(() => before({ network, batch, totals: parts.totals, config }))
    total += (await share.data<'float32'>())[0]!
    share.dispose()
    disposeBatch(batch)
  }
  return { ...parts, totals: { ...parts.totals, before: total } }
}

/** Gradients by parameter name, kept: the caller disposes of them. The loss's metrics are added to `reported`, kept too. */
function gradientsOf(
  decoder: Decoder,
  loss: () => LossResult,
  reported: Record<string, tf.Scalar>[],
): Record<string, tf.Tensor> {
  const { value, grads } = variableGradients(() => reportedLoss(loss(), reported), Object.values(decoder.variables))
  value.dispose()
  return byParameter(decoder, grads)
}

/** The loss, with its metrics kept past the gradient's own tidy; clones, because a metric may be the loss itself. */
function reportedLoss({ loss, metrics }: LossResult, reported: Record<string, tf.Scalar>[]): tf.Scalar {
  reported.push(Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, tf.keep(tf.clone(value))])))
  return loss
}

/** Gradients by variable become gradients by parameter, kept. */
function byParameter(decoder: Decoder, grads: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  const names = new Map(Object.entries(decoder.variables).map(([name, variable]) => [variable.name, name]))
  return Object.fromEntries(
    Object.entries(grads).map(([variable, gradient]) => [names.get(variable) ?? variable, tf.keep(gradient)]),
  )
}

/** Sums over the parts. Read when the update is on its way, so that a graphics card is not kept waiting. */
async function readMetrics(reported: readonly Readonly<Record<string, tf.Scalar>>[]): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {}
  const all = reported.flatMap((part) => Object.entries(part))
  if (all.length === 0) return metrics
  // In one copy: from a graphics card each read waits for all that was asked of it.
  const values = all.map(([, value]) => value)
  const together = tf.stack(values)
  const numbers = await together.data<'float32'>()
  tf.dispose([together, ...values])
  all.forEach(([name], at) => (metrics[name] = (metrics[name] ?? 0) + numbers[at]!))
  return metrics
}

/** Gives both up for their sum. */
function addTo(sums: Record<string, tf.Tensor>, more: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  for (const [name, gradient] of Object.entries(more)) {
    const sum = sums[name]
    sums[name] = sum === undefined ? gradient : tf.keep(tf.add(sum, gradient))
    if (sum !== undefined) tf.dispose([sum, gradient])
  }
  return sums
}
