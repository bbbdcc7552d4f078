// A trained policy that acts without an engine, which is opened for longer than a collection takes. Its sums are of double precision:
// what must equal an evaluation to the last digit acts with `network-policy.ts`.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { decodeSafeTensors } from '../../core/learn/models/safetensors.ts'
import type { Policy } from '../../core/worlds/define.ts'

/** What a checkpoint of a control method says of its policy. */
const policyConfig = z.object({
  model_type: z.literal('pairlab-networks'),
  world: z.string().nullable(),
  networks: z.object({
    policy: z.object({
      inputs: z.int(),
      hidden: z.array(z.int()),
      outputs: z.int(),
      activation: z.enum(['relu', 'tanh']),
      output: z.enum(['linear', 'tanh']),
    }),
  }),
})

const PREFIX = 'policy/'

interface Layer {
  /** Row-major [in, out] */
  readonly weight: Float32Array
  readonly bias: Float32Array
  readonly squash: (value: number) => number
}

const SQUASH = { relu: (value: number) => Math.max(0, value), tanh: Math.tanh, linear: (value: number) => value }

/** What acts of a checkpoint: the network's sizes and its weights, `<layer>.weight` [in, out] and `<layer>.bias` [out]. */
export interface PolicyFile {
  readonly config: z.infer<typeof policyConfig>['networks']['policy']
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>
}

/** @throws AppError `spec-invalid` for a checkpoint of another kind, or one of another world */
export function readPolicyFile(folder: string, world: string): PolicyFile {
  const config = policyConfig.safeParse(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
  if (!config.success)
    throw new AppError({
      code: 'spec-invalid',
      message: `The checkpoint holds no policy that acts: ${describeIssues(config.error)}.`,
      hint: 'Choose a run of CPL, BC, P-IQL or another method that learns from segments.',
    })
  if (config.data.world !== world)
    throw new AppError({
      code: 'spec-invalid',
      message: `That policy was trained in ${config.data.world ?? 'another world'}, not in ${world}.`,
      hint: 'Choose a run that learned from segments of this world.',
    })
  const { tensors } = decodeSafeTensors(readFileSync(path.join(folder, 'model.safetensors')))
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(PREFIX))
  return {
    config: config.data.networks.policy,
    tensors: Object.fromEntries(
      own.map(([name, { shape, data }]) => [name.slice(PREFIX.length), { shape, data: Float32Array.from(data) }]),
    ),
  }
}

/** @throws AppError `spec-invalid` for a checkpoint of another kind, or one of another world */
export function readLearnedPolicy(folder: string, world: string): Policy {
  const { config, tensors } = readPolicyFile(folder, world)
  const { hidden, activation, output } = config
  const layers = Array.from({ length: hidden.length + 1 }, (_, layer): Layer => ({
    weight: tensor(tensors, `${layer}.weight`),
    bias: tensor(tensors, `${layer}.bias`),
    squash: SQUASH[layer === hidden.length ? output : activation],
  }))
  return (observation) => layers.reduce<ArrayLike<number>>((values, layer) => apply(layer, values), observation)
}

function tensor(tensors: PolicyFile['tensors'], name: string): Float32Array {
  const found = tensors[name]
  if (found === undefined)
    throw new AppError({
      code: 'spec-invalid',
      message: `The checkpoint has no tensor ${name}.`,
      hint: 'Choose another run.',
    })
  return found.data
}

function apply({ weight, bias, squash }: Layer, values: ArrayLike<number>): Float64Array {
  const width = bias.length
  const sums = Float64Array.from(bias)
  for (let row = 0; row < values.length; row += 1)
    for (let column = 0; column < width; column += 1)
      sums[column] = sums[column]! + values[row]! * weight[row * width + column]!
  return sums.map(squash)
}
