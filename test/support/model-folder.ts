import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { presetConfig, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import { decoderConfigFile } from '../../main/core/learn/models/hf-config.ts'
import { freshWeights, parameterShapes } from '../../main/core/learn/models/parameters.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openModelFolder } from '../../main/core/models/folder.ts'
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
