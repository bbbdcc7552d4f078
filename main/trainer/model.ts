import { AppError } from '../../shared/errors.ts'
import type { RunSpec } from '../../shared/run-spec.ts'
import { decoderFrom, initialWeights, presetConfig, type Decoder, type DecoderConfig, type DecoderOptions, type NamedTensor } from '../learn/models/decoder.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import { sourceOf } from '../learn/models/parameters.ts'
import type { Random } from '../learn/random.ts'

export interface ModelStart {
  readonly config: DecoderConfig
  readonly weights: Readonly<Record<string, NamedTensor>>
}

/** The weights a new model begins with: its preset's sizes, drawn from the seed. */
export function newModel(model: Extract<RunSpec['model'], { kind: 'new' }>, vocabSize: number, scoreHead: boolean, random: Random): ModelStart {
  const config = presetConfig(model.preset, vocabSize, { tiedEmbeddings: model.tiedEmbeddings, scoreHead })
  return { config, weights: initialWeights(config, random) }
}

/**
 * The weights of a checkpoint, with a scalar head if one is wanted: its own, or a fresh one. A policy that is made
 * from a reward model loses the head.
 */
export function continueModel(file: unknown, weights: Readonly<Record<string, NamedTensor>>, scoreHead: boolean): ModelStart {
  const own = decoderConfigOf(file)
  const config = { ...own, scoreHead }
  const head = { shape: [1, config.hidden], data: new Float32Array(config.hidden) } // 0, as initialWeights has it
  return { config, weights: scoreHead ? { 'score.weight': head, ...weights } : weights }
}

/** @throws AppError `model-unsupported` when the weights are not those of the configuration */
export function buildDecoder(start: ModelStart, options: DecoderOptions = {}): Decoder {
  try {
    return decoderFrom(start.config, sourceOf(start.weights), options)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AppError({ code: 'model-unsupported', message: `The weights do not fit their configuration: ${error.message}.`, hint: 'The checkpoint is damaged; choose another.', cause: error })
  }
}
