import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { presetConfig, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import { type EncoderConfig, encoderConfigFile } from '../../main/core/learn/models/encoder-config.ts'
import { encoderShapes, freshEncoderWeights } from '../../main/core/learn/models/encoder-parameters.ts'
import { decoderConfigFile } from '../../main/core/learn/models/hf-config.ts'
import { freshWeights, parameterShapes } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openAnyModel, openModelFolder } from '../../main/core/models/folder.ts'
import { writeSafeTensors } from '../../main/core/models/write.ts'

/** A Llama of random weights over bytes, as the Hugging Face libraries would write it. @returns what a run says of it */
export async function makeModelFolder(
  folder: string,
  seed = 3,
  config: DecoderConfig = presetConfig('nano', loadTokenizer(byteTokenizer()).vocabSize),
): Promise<{ readonly path: string; readonly hash: string }> {
  const weights = freshWeights(config, createRandom(seed))
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(decoderConfigFile(config, 256)))
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(byteTokenizer()))
  await writeSafeTensors(
    path.join(folder, 'model.safetensors'),
    Object.fromEntries(
      Object.entries(parameterShapes(config)).map(([name, shape]) => [
        name,
        { shape, read: () => weights.read(name).data },
      ]),
    ),
  )
  const model = openModelFolder(folder)
  try {
    return { path: folder, hash: await model.hash() }
  } finally {
    model.close()
  }
}

/** A BERT of random weights; its tokenizer is that of a tiny one, with invented words up to its vocabulary. @returns what a run says of it */
export async function makeEncoderFolder(
  folder: string,
  config: EncoderConfig,
): Promise<{ readonly path: string; readonly hash: string }> {
  const weights = freshEncoderWeights(config, createRandom(5))
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(encoderConfigFile(config)))
  const tokenizer = JSON.parse(
    readFileSync(new URL('../golden/models-encoders/bert/tokenizer.json', import.meta.url), 'utf8'),
  ) as { readonly model: { readonly vocab: Record<string, number> } }
  const { vocab } = tokenizer.model
  for (let id = Object.keys(vocab).length; id < config.vocabSize; id++) vocab[`invented${id}`] = id
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
  await writeSafeTensors(
    path.join(folder, 'model.safetensors'),
    Object.fromEntries(
      Object.entries(encoderShapes(config)).map(([name, shape]) => [
        name,
        { shape, read: () => weights.read(name).data },
      ]),
    ),
  )
  const model = openAnyModel(folder, true)
  try {
    return { path: folder, hash: await model.hash() }
  } finally {
    model.close()
  }
}
