// Low-rank adapters beside a decoder's frozen linear layers (Hu et al., ICLR 2022), arXiv 2106.09685
import type { TrainingConfig } from '../../../../shared/training-config.ts'
import type { LoraWeights } from './lora.ts'
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'
import { dropMask } from './dropout.ts'
import { isLlamaLike, type DecoderConfig } from './model-config.ts'
import { parameterShapes, type NamedTensor, type TensorSource } from './parameters.ts'

export interface LoraOptions {
  readonly rank: number
  readonly alpha: number
  /** Share of the low-rank path's input that is dropped in training. */
  readonly dropout: number
  readonly targets: TrainingConfig['loraTargets']
}

/** The linear layers of a block, by the last part of their names. */
export function loraModules(config: DecoderConfig, targets: LoraOptions['targets']): readonly string[] {
  const [attention, mlp] = isLlamaLike(config)
    ? [
        ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj'],
        ['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'],
      ]
    : [
        ['attn.c_attn', 'attn.c_proj'],
        ['mlp.c_fc', 'mlp.c_proj'],
      ]
  if (targets === 'attention') return attention
  return targets === 'mlp' ? mlp : [...attention, ...mlp]
}

export function adapterNames(layer: string): { readonly a: string; readonly b: string } {
  return { a: `${layer}.lora_A.weight`, b: `${layer}.lora_B.weight` }
}

/** Name and shape of every adapter matrix: A [rank, in], B [out, rank]. In a fixed order. */
export function adapterShapes(config: DecoderConfig, options: LoraOptions): Record<string, readonly [number, number]> {
  const endings = loraModules(config, options.targets).map((name) => `.${name}.weight`)
  const shapes: Record<string, readonly [number, number]> = {}
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    if (shape.length !== 2 || !endings.some((ending) => name.endsWith(ending))) continue
    const [inner, outer] = isLlamaLike(config) ? [shape[1], shape[0]] : shape
    const { a, b } = adapterNames(name.slice(0, -'.weight'.length))
    shapes[a] = [options.rank, inner]
    shapes[b] = [outer, options.rank]
  }
  return shapes
}

/** A uniform in ±1/√in (Kaiming with a = √5, as PEFT has it) and B 0, so that training starts at the frozen model. */
export function initialAdapters(
  config: DecoderConfig,
  options: LoraOptions,
  random: Random,
): Record<string, NamedTensor> {
  return drawAdapters(adapterShapes(config, options), random)
}

/** The same for adapter matrices of any model, by their names and shapes. */
export function drawAdapters(
  shapes: Readonly<Record<string, readonly [number, number]>>,
  random: Random,
): Record<string, NamedTensor> {
  const tensors: Record<string, NamedTensor> = {}
  for (const [name, shape] of Object.entries(shapes)) {
    const data = new Float32Array(shape[0] * shape[1])
    if (name.endsWith('.lora_A.weight')) {
      const own = random.fork(name)
      const bound = 1 / Math.sqrt(shape[1])
      for (let index = 0; index < data.length; index += 1) data[index] = (2 * own.uniform() - 1) * bound
    }
    tensors[name] = { shape, data }
  }
  return tensors
}

/** What a pass over x needs beside the adapter's weights. @param random null: without dropout */
export function loraPass(
  x: tf.Tensor2D,
  { alpha, rank, dropout }: LoraOptions,
  random: Random | null,
): Pick<LoraWeights, 'scale' | 'mask'> {
  return { scale: alpha / rank, mask: random === null || dropout === 0 ? null : dropMask(x.shape, dropout, random) }
}

/**
 * Adds scale · B A to the weight, in place, in double precision for each entry.
 * @param weight [out, in], or [in, out] where `transposed`
 */
export function mergeAdapter(
  weight: NamedTensor,
  a: NamedTensor,
  b: NamedTensor,
  scale: number,
  transposed: boolean,
): void {
  const [rank, inner] = a.shape as [number, number]
  const outer = b.shape[0]!
  const change = new Float64Array(inner)
  for (let row = 0; row < outer; row += 1) {
    change.fill(0)
    for (let r = 0; r < rank; r += 1) {
      const factor = scale * b.data[row * rank + r]!
      if (factor !== 0)
        for (let column = 0; column < inner; column += 1) change[column]! += factor * a.data[r * inner + column]!
    }
    for (let column = 0; column < inner; column += 1)
      weight.data[transposed ? column * outer + row : row * inner + column]! += change[column]!
  }
}

/** The frozen model's weights with what the adapters learned added to them. @param inOut linear weights are [in, out], as gpt2's */
export function mergedSource(
  base: TensorSource,
  adapters: TensorSource & { readonly names: ReadonlySet<string> },
  scale: number,
  inOut: boolean,
): TensorSource {
  return {
    read(name) {
      if (adapters.names.has(name)) return adapters.read(name) // trained whole, beside the adapters
      const found = base.read(name)
      const { a, b } = adapterNames(name.replace(/\.weight$/, ''))
      if (!adapters.names.has(a)) return found
      const weight = { shape: found.shape, data: found.data.slice() }
      mergeAdapter(weight, adapters.read(a), adapters.read(b), scale, inOut)
      return weight
    },
  }
}
