// What a GGUF file says of the network, in the words of config.json, and how its tensors are called there.
import path from 'node:path'
import { AppError } from '../../../../shared/errors.ts'
import { ropeFrequencies } from '../../learn/models/rope.ts'
import { readGgufTensor } from './read-tensor.ts'
import type { GgufHeader, GgufTensor, GgufValue } from './header.ts'

/** By `general.architecture`: the model_type of config.json. Mistral's files say llama. */
const FAMILIES: Readonly<Record<string, 'llama' | 'qwen2' | 'qwen3'>> = {
  llama: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
}

const OUTER: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
}
const INNER: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/** The tensor's name in a folder of safetensors; its own where none belongs to it. */
export function hubNameOf(name: string): string {
  const outer = OUTER[name]
  if (outer !== undefined) return outer
  const parts = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name)
  const inner = parts === null ? undefined : INNER[parts[2]!]
  return inner === undefined ? name : `model.layers.${parts![1]}.${inner}.${parts![3]}`
}

/** The other way round. @throws RangeError for a name that no network of these families has */
export function ggufNameOf(name: string): string {
  const outer = Object.entries(OUTER).find(([, hub]) => hub === name)
  if (outer !== undefined) return outer[0]
  const parts = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)
  const inner = Object.entries(INNER).find(([, hub]) => hub === parts?.[2])
  if (parts === null || inner === undefined) throw new RangeError(`no tensor of a GGUF file is ${name}`)
  return `blk.${parts[1]}.${inner[0]}.${parts[3]}`
}

/**
 * Heads of a tensor whose rows stand in another order than in safetensors; null where they do not. The llama
 * architecture turns neighbouring numbers by RoPE, the safetensors of these models the two halves of a head: its
 * conversion puts the rows of queries and keys so.
 */
export function turnedHeads(header: GgufHeader, name: string): number | null {
  if (architectureOf(header) !== 'llama') return null
  if (/\.attn_q\.(weight|bias)$/.test(name)) return sizeOf(header, 'attention.head_count')
  return /\.attn_k\.(weight|bias)$/.test(name)
    ? (optionalSize(header, 'attention.head_count_kv') ?? sizeOf(header, 'attention.head_count'))
    : null
}

type Rows = Float32Array | Int32Array

/** Rows (0,1), (2,3), … of a head as its first and second halves. @param data [rows, width] or [rows] */
export function unturnRows<T extends Rows>(data: T, rows: number, heads: number): T {
  return takeRows(data, rows, heads, (row, half) => (row < half ? 2 * row : 2 * (row - half) + 1))
}

/** The other way round: the first and second halves of a head in turns. @param data [rows, width] or [rows] */
export function turnRows<T extends Rows>(data: T, rows: number, heads: number): T {
  return takeRows(data, rows, heads, (row, half) => (row & 1) * half + (row >>> 1))
}

/** @param from which row of a head comes to stand as its `row`; `half` of its size */
function takeRows<T extends Rows>(
  data: T,
  rows: number,
  heads: number,
  from: (row: number, half: number) => number,
): T {
  const width = data.length / rows
  const size = rows / heads
  const to = data.slice() as T
  for (let row = 0; row < rows; row += 1) {
    const source = row - (row % size) + from(row % size, size / 2)
    to.set(data.subarray(source * width, (source + 1) * width), row * width)
  }
  return to
}

/** As config.json. @throws AppError `model-unsupported` naming the architecture or the missing value */
export function ggufConfig(header: GgufHeader): Record<string, unknown> {
  const architecture = architectureOf(header)
  const family = FAMILIES[architecture]
  if (family === undefined)
    throw refuse(
      header,
      `its architecture is "${architecture}"`,
      'GGUF files of Llama, SmolLM, Mistral, Qwen2 and Qwen3 models are read.',
    )
  if ((optionalSize(header, 'expert_count') ?? 0) > 0)
    throw refuse(header, 'it is a mixture of experts', 'Choose a dense model.')
  const heads = sizeOf(header, 'attention.head_count')
  const hidden = sizeOf(header, 'embedding_length')
  const headDim = optionalSize(header, 'attention.key_length') ?? hidden / heads
  const names = new Set(header.tensors.map((tensor) => tensor.name))
  const context = optionalSize(header, 'context_length')
  const window = optionalSize(header, 'attention.sliding_window')
  return {
    model_type: window === null || family !== 'llama' ? family : 'mistral',
    vocab_size: shapeOf(header, 'token_embd.weight')[0],
    num_hidden_layers: sizeOf(header, 'block_count'),
    hidden_size: hidden,
    num_attention_heads: heads,
    num_key_value_heads: optionalSize(header, 'attention.head_count_kv') ?? heads,
    head_dim: headDim,
    intermediate_size: sizeOf(header, 'feed_forward_length'),
    ...(context === null ? {} : { max_position_embeddings: context }),
    rms_norm_eps: decimalOf(sizeOf(header, 'attention.layer_norm_rms_epsilon')),
    rope_theta: ropeBase(header),
    ...ropeScaling(header, headDim),
    attention_bias: names.has('blk.0.attn_q.bias'),
    mlp_bias: names.has('blk.0.ffn_gate.bias'),
    tie_word_embeddings: !names.has('output.weight'),
    ...(window === null || family !== 'llama' ? {} : { sliding_window: window }),
    ...tokenNumbers(header),
  }
}

/** bos_token_id and eos_token_id, several where a turn ends with another token than a text. */
export function tokenNumbers({ metadata }: GgufHeader): Record<string, unknown> {
  const of = (name: string): number | null => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`)
    return typeof value === 'number' ? value : null
  }
  const ends = [...new Set(['eos', 'eot', 'eom'].map(of).filter((id) => id !== null))]
  const [begin, pad] = [of('bos'), of('padding')]
  return {
    ...(begin === null ? {} : { bos_token_id: begin }),
    ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    ...(pad === null ? {} : { pad_token_id: pad }),
  }
}

/** Of Llama 3.1 and after: where the change begins and ends, and the length before it. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const

/**
 * Linear scaling by its name; Llama 3's by the numbers that it divides frequencies by, which stand among the weights:
 * the rule of Llama 3.1 is taken where it makes the same numbers.
 */
function ropeScaling(header: GgufHeader, headDim: number): { readonly rope_scaling?: Record<string, unknown> } {
  const kind = header.metadata.get(`${architectureOf(header)}.rope.scaling.type`)
  const factor = optionalSize(header, 'rope.scaling.factor')
  const divisors = header.tensors.find((tensor) => tensor.name === 'rope_freqs.weight')
  if (divisors !== undefined) return { rope_scaling: llama3Rule(header, divisors, headDim) }
  if (kind === undefined || kind === 'none' || factor === null || factor === 1) return {}
  if (kind !== 'linear')
    throw refuse(header, `its positions are scaled by "${String(kind)}"`, 'Linear scaling is read, or none.')
  return { rope_scaling: { rope_type: 'linear', factor } }
}

function llama3Rule(header: GgufHeader, tensor: GgufTensor, headDim: number): Record<string, unknown> {
  const divisors = readGgufTensor(header.file, tensor)
  const factor = divisors.reduce((most, one) => Math.max(most, one), 1)
  const ropeTheta = ropeBase(header)
  const plain = ropeFrequencies({ headDim, ropeTheta })
  const scaled = ropeFrequencies({
    headDim,
    ropeTheta,
    ropeScaling: {
      kind: 'llama3',
      factor,
      lowFrequencyFactor: LLAMA3.low_freq_factor,
      highFrequencyFactor: LLAMA3.high_freq_factor,
      originalLength: LLAMA3.original_max_position_embeddings,
    },
  })
  const same =
    divisors.length === plain.length &&
    divisors.every((one, at) => Math.abs(one - plain[at]! / scaled[at]!) <= 1e-3 * one)
  if (same) return { rope_type: 'llama3', factor, ...LLAMA3 }
  throw refuse(
    header,
    'its positions are scaled by a rule of its own (rope_freqs.weight)',
    'Use the safetensors of the model: its config.json says what the rule is.',
  )
}

function ropeBase(header: GgufHeader): number {
  return optionalSize(header, 'rope.freq_base') ?? 10_000
}

function architectureOf({ metadata }: GgufHeader): string {
  const said = metadata.get('general.architecture')
  return typeof said === 'string' ? said : ''
}

function optionalSize(header: GgufHeader, name: string): number | null {
  const value: GgufValue | undefined = header.metadata.get(`${architectureOf(header)}.${name}`)
  if (value === undefined) return null
  if (typeof value === 'number') return value
  throw refuse(
    header,
    `${architectureOf(header)}.${name} is no single number`,
    'All layers of a model must be of one shape.',
  )
}

function sizeOf(header: GgufHeader, name: string): number {
  const value = optionalSize(header, name)
  if (value !== null) return value
  throw refuse(
    header,
    `it does not say ${architectureOf(header)}.${name}`,
    'The file is damaged, or of a kind that Pairlab does not know.',
  )
}

function shapeOf(header: GgufHeader, name: string): readonly number[] {
  const tensor: GgufTensor | undefined = header.tensors.find((one) => one.name === name)
  if (tensor !== undefined) return tensor.shape
  throw refuse(header, `it holds no ${name}`, 'It may be a part of a model, or one that sees pictures or hears.')
}

/** The float32 that a file keeps, as the decimal that was meant: 1e-5, not 0.00000999999974. */
function decimalOf(value: number): number {
  return Number(Math.fround(value).toPrecision(7))
}

export function refuse({ file }: GgufHeader, what: string, hint: string): AppError {
  return new AppError({ code: 'model-unsupported', message: `${path.basename(file)}: ${what}.`, hint })
}
