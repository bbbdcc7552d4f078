// A decoder as a GGUF file (version 3), as llama.cpp, LM Studio and Ollama open it: matrices as F16 or Q8_0, the rest F32.
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { writeFully } from '../../../base/files/durable.ts'
import type { DecoderConfig } from '../../learn/models/model-config.ts'
import { parameterShapes, type TensorSource } from '../../learn/models/parameters.ts'
import { ropeFrequencies } from '../../learn/models/rope.ts'
import { ggufNameOf, turnRows } from './architecture.ts'
import { blockNamed, packBlocks } from './blocks.ts'
import { refused, type GgufEntry } from './write-tokenizer.ts'

export type GgufType = 'F16' | 'Q8_0' | 'Q4_0'

export interface GgufToWrite {
  readonly config: DecoderConfig
  readonly source: TensorSource
  /** Longest sequence, where the configuration does not say. */
  readonly maxLength: number
  readonly name: string
  /** By its name; null where it is not known. */
  readonly licence: string | null
  /** Vocabulary and what is said of it; see write-tokenizer.ts. */
  readonly tokenizer: Readonly<Record<string, GgufEntry>>
}

const ALIGNMENT = 32
const VERSION = 3
/** Numbers that are packed at once: whole blocks, some ten milliseconds. */
const PIECE = 2 ** 18
/** `general.file_type` of a file whose matrices are of the type. */
const FILE_TYPES: Readonly<Record<GgufType, number>> = { F16: 1, Q4_0: 2, Q8_0: 7 }

interface Part {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: string
  readonly bytes: number
  read(): Float32Array
}

/**
 * Writes the file, one weight in memory at a time; on the disk when the promise is kept.
 * @throws AppError `model-unsupported` for a family that has no place in the format
 */
export async function writeGguf(file: string, made: GgufToWrite, type: GgufType): Promise<void> {
  const network = architecture(made, type)
  const parts = partsOf(made, type)
  const descriptor = openSync(file, 'w')
  let position = 0
  const write = (bytes: Uint8Array): void => {
    writeFully(descriptor, bytes)
    position += bytes.length
  }
  const pad = (): void => write(new Uint8Array((ALIGNMENT - (position % ALIGNMENT)) % ALIGNMENT))
  try {
    write(headerOf({ ...network, ...made.tokenizer }, parts))
    for (const part of parts) {
      pad()
      const data = part.read()
      for (let from = 0; from < data.length; from += PIECE) {
        write(packBlocks(data.subarray(from, from + PIECE), part.type))
        await nextTurn() // whoever asked for the file has other callers too
      }
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function partsOf({ config, source }: GgufToWrite, type: GgufType): Part[] {
  const turned = config.family === 'llama' || config.family === 'mistral' || config.family === undefined
  const weights = Object.entries(parameterShapes({ ...config, scoreHead: false })).map(([name, shape]): Part => {
    const width = shape.at(-1)!
    const own = shape.length < 2 ? 'F32' : width % blockNamed(type).numbers !== 0 ? 'F16' : type
    const heads = !turned
      ? null
      : /q_proj\.\w+$/.test(name)
        ? config.heads
        : /k_proj\.\w+$/.test(name)
          ? config.kvHeads
          : null
    return part(ggufNameOf(name), shape, own, () => {
      const { data } = source.read(name)
      return heads === null ? data : turnRows(data, shape[0]!, heads)
    })
  })
  const scaling = config.ropeScaling ?? null
  if (scaling?.kind !== 'llama3') return weights
  const [plain, scaled] = [ropeFrequencies({ ...config, ropeScaling: null }), ropeFrequencies(config)]
  const divisors = Float32Array.from(plain, (one, at) => one / scaled[at]!)
  return [...weights, part('rope_freqs.weight', [divisors.length], 'F32', () => divisors)]
}

function part(name: string, shape: readonly number[], type: string, read: () => Float32Array): Part {
  const block = blockNamed(type)
  const count = shape.reduce((product, size) => product * size, 1)
  return { name, shape, type, bytes: (count / block.numbers) * block.bytes, read }
}

function architecture({ config, maxLength, name, licence }: GgufToWrite, type: GgufType): Record<string, GgufEntry> {
  const { family = 'llama', ropeScaling = null } = config
  if (family === 'gpt2') throw refused('it is of the family GPT-2')
  if (ropeScaling?.kind === 'dynamic') throw refused('its positions are scaled dynamically')
  const kind = family === 'mistral' ? 'llama' : family
  const whole = (value: number): GgufEntry => ({ type: 'uint32', value })
  const real = (value: number): GgufEntry => ({ type: 'float32', value })
  const text = (value: string): GgufEntry => ({ type: 'string', value })
  const own: Record<string, GgufEntry> = {
    context_length: whole(config.maxPositions ?? maxLength),
    embedding_length: whole(config.hidden),
    block_count: whole(config.layers),
    feed_forward_length: whole(config.feedForward),
    'attention.head_count': whole(config.heads),
    'attention.head_count_kv': whole(config.kvHeads),
    'attention.key_length': whole(config.headDim),
    'attention.value_length': whole(config.headDim),
    'attention.layer_norm_rms_epsilon': real(config.normEpsilon),
    'rope.freq_base': real(config.ropeTheta),
    'rope.dimension_count': whole(config.headDim),
    vocab_size: whole(config.vocabSize),
    ...(config.window == null ? {} : { 'attention.sliding_window': whole(config.window) }),
    ...(ropeScaling?.kind === 'linear'
      ? { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': real(ropeScaling.factor) }
      : {}),
  }
  return {
    'general.architecture': text(kind),
    'general.name': text(name),
    ...(licence === null ? {} : { 'general.license': text(licence) }),
    'general.file_type': whole(FILE_TYPES[type]),
    'general.quantization_version': whole(2),
    'general.alignment': whole(ALIGNMENT),
    ...Object.fromEntries(Object.entries(own).map(([key, entry]) => [`${kind}.${key}`, entry])),
  }
}

function headerOf(entries: Readonly<Record<string, GgufEntry>>, parts: readonly Part[]): Buffer {
  const keys = Object.entries(entries)
  let offset = 0
  const places = parts.map(({ name, shape, type, bytes }) => {
    const at = offset
    offset = Math.ceil((offset + bytes) / ALIGNMENT) * ALIGNMENT
    return Buffer.concat([
      textOf(name),
      uint32(shape.length),
      ...shape.toReversed().map(uint64),
      uint32(blockNamed(type).number),
      uint64(at),
    ])
  })
  return Buffer.concat([
    Buffer.from('GGUF', 'latin1'),
    uint32(VERSION),
    uint64(parts.length),
    uint64(keys.length),
    ...keys.flatMap(([key, entry]) => [textOf(key), valueOf(entry)]),
    ...places,
  ])
}

/** The type's number, and the value. */
function valueOf(entry: GgufEntry): Buffer {
  switch (entry.type) {
    case 'string':
      return Buffer.concat([uint32(8), textOf(entry.value)])
    case 'uint32':
      return Buffer.concat([uint32(4), uint32(entry.value)])
    case 'float32':
      return Buffer.concat([uint32(6), floats([entry.value])])
    case 'bool':
      return Buffer.concat([uint32(7), Buffer.from([entry.value ? 1 : 0])])
    case 'strings':
      return Buffer.concat([uint32(9), uint32(8), uint64(entry.value.length), ...entry.value.map(textOf)])
    case 'int32s':
      return Buffer.concat([uint32(9), uint32(5), uint64(entry.value.length), ints(entry.value)])
    default:
      return Buffer.concat([uint32(9), uint32(6), uint64(entry.value.length), floats(entry.value)])
  }
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([uint64(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeFloatLE(value, 4 * at)
  return bytes
}

function ints(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [at, value] of values.entries()) bytes.writeInt32LE(value, 4 * at)
  return bytes
}
