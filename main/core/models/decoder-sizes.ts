import type { ModelSpec } from '../../../shared/run-spec.ts'
import { byteTokenizer } from '../learn/tokens/bpe-trainer.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import { presetConfig, type DecoderConfig } from '../learn/models/model-config.ts'
import { loadTokenizer } from '../learn/tokens/tokenizer.ts'
import { readJson } from './model-files.ts'

/** The sizes of a model that is to be made; a BPE may end up with fewer tokens than it may have. */
export function sizesOfNew(
  { preset, tokenizer, tiedEmbeddings }: Extract<ModelSpec, { kind: 'new' }>,
  scoreHead: boolean,
): DecoderConfig {
  const vocabSize = tokenizer.kind === 'bpe' ? tokenizer.vocabSize : loadTokenizer(byteTokenizer()).vocabSize
  return presetConfig(preset, vocabSize, { tiedEmbeddings, scoreHead })
}

/** The sizes of the model in a folder, from its config.json alone. @throws AppError `model-unsupported` */
export function sizesIn(folder: string, scoreHead: boolean): DecoderConfig {
  return { ...decoderConfigOf(readJson(folder, 'config.json', true)), scoreHead }
}
