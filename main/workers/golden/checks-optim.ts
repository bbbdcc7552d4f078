import {
  createOptimizer,
  learningRateAt,
  readGlobalNorm,
  type OptimizerConfig,
  type ScheduleConfig,
} from '../../core/learn/optimizer.ts'
import { loraLinear, mergeLora, type LoraWeights } from '../../core/learn/models/lora.ts'
import { tf } from '../../core/learn/tf.ts'
import { caseNotCovered, covered, out, type Check, type CheckResult } from './check.ts'
import { DOUBLE, singleFor } from './compare.ts'
import { reader, type GoldenCase, type Reader, type Value } from './vectors.ts'

/** adam…, adamw…, sgd…, schedules and lora_linear: the case says by its fields which it is. */
export const checkOptim: Check = (vector) => {
  if (vector.inputs['gradients'] !== undefined) return checkUpdates(vector)
  if (vector.params['base_lr'] !== undefined) return checkSchedules(vector)
  if (vector.inputs['lora_A_r_in'] !== undefined) return checkLora(vector)
  return caseNotCovered('no optimizer, schedule or adapter is recognized in it')
}

const checkUpdates = async (vector: GoldenCase): Promise<CheckResult> => {
  const inputs = reader(vector.inputs, 'inputs')
  const steps = inputs.raw('gradients') as readonly Readonly<Record<string, Value>>[] // one record of arrays a step
  const params = reader(vector.params, 'params')
  const names = Object.keys(vector.inputs).filter((name) => name !== 'gradients')
  const variables = Object.fromEntries(names.map((name) => [name, tf.variable(toTensor(inputs.raw(name)))]))
  const optimizer = createOptimizer(optimizerConfig(params), variables)
  const trajectory: Value[] = []
  const norms: number[] = []
  for (const step of steps) {
    const gradients = Object.fromEntries(names.map((name) => [name, toTensor(step[name]!)]))
    const gradNorm = await readGlobalNorm(Object.values(gradients))
    optimizer.apply(gradients, params.number('lr'), gradNorm)
    norms.push(gradNorm)
    const weights = await Promise.all(names.map(async (name) => [name, await out(variables[name]!)] as const))
    trajectory.push(Object.fromEntries(weights))
  }
  return { outputs: covered(singleFor(vector.tags), { trajectory, global_norms: norms }), notCovered: [] }
}

/** PyTorch's optimizers decay every parameter; ours leaves out norms and biases unless told. */
function optimizerConfig(params: Reader): OptimizerConfig {
  return {
    kind: params.has('momentum') ? 'sgd' : 'adam',
    momentum: params.numberOr('momentum', 0),
    beta1: params.numberOr('beta1', 0.9),
    beta2: params.numberOr('beta2', 0.999),
    epsilon: params.numberOr('eps', 1e-8),
    weightDecay: params.numberOr('weight_decay', 0),
    clipNorm: params.numberOr('clip_global_norm', 0),
    decay: 'all',
  }
}

const SCHEDULES: Readonly<Record<string, ScheduleConfig['schedule']>> = {
  constant_with_warmup: 'constant',
  linear: 'linear',
  cosine: 'cosine',
}

const checkSchedules: Check = (vector) => {
  const params = reader(vector.params, 'params')
  const steps = params.number('total_steps')
  const shared = {
    steps,
    learningRate: params.number('base_lr'),
    warmupFraction: params.number('warmup_steps') / steps,
    minLearningRateRatio: 0,
  }
  const actual: Record<string, Value> = {}
  const notCovered: string[] = []
  for (const name of Object.keys(vector.outputs)) {
    const schedule = SCHEDULES[name]
    if (schedule === undefined) notCovered.push(`there is no schedule "${name}"`)
    else
      actual[name] = reader(vector.outputs, 'outputs')
        .vector(name)
        .map((_, step) => learningRateAt(step, { ...shared, schedule }))
  }
  return { outputs: covered(DOUBLE, actual), notCovered }
}

const checkLora: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const weights: LoraWeights & { readonly weight: tf.Tensor2D } = {
    weight: tf.tensor2d(inputs.matrix('weight_out_in')),
    a: tf.tensor2d(inputs.matrix('lora_A_r_in')),
    b: tf.tensor2d(inputs.matrix('lora_B_out_r')),
    scale: params.number('alpha') / params.number('r'),
  }
  const x = tf.tensor2d(inputs.matrix('x'))
  const lossOf = (a: tf.Tensor, b: tf.Tensor, at: tf.Tensor): tf.Tensor =>
    tf.sum(tf.square(loraLinear(at as tf.Tensor2D, { ...weights, a: a as tf.Tensor2D, b: b as tf.Tensor2D })))
  const [gradA, gradB, gradX] = tf.grads((a, b, at) => lossOf(a, b, at))([weights.a, weights.b, x])
  return {
    outputs: covered(singleFor(vector.tags), {
      y: out(loraLinear(x, weights)),
      merged_weight: out(mergeLora(weights)),
      loss: out(lossOf(weights.a, weights.b, x)),
      'grads.lora_A': out(gradA!),
      'grads.lora_B': out(gradB!),
      'grads.x': out(gradX!),
    }),
    notCovered: [],
  }
}

function toTensor(value: Value): tf.Tensor {
  return tf.tensor(value as number[] | number[][], undefined, 'float32') // any rank; tf reads the shape
}
