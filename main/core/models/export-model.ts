// A checkpoint as a folder that other programs open: the layout of the Hugging Face libraries, or of PEFT's adapters.
import { copyFileSync, cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import { parameterShapes } from '../learn/models/parameters.ts'
import { loadTokenizer } from '../learn/tokens/tokenizer.ts'
import { openModelFiles } from './checkpoint-files.ts'
import { tokenText } from './model-files.ts'
import { writeNewFolder } from './new-folder.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, isAdapterFolder } from './peft.ts'
import { writeSafeTensors, type TensorToWrite } from './write.ts'

export interface ExportOptions {
  /** `model`: everything, adapters merged into the weights. `adapters`: what PEFT lays beside a model. */
  readonly form: 'model' | 'adapters'
  /** Text of README.md. */
  readonly card: string
  /** Folder whose template, tokenizer settings and licence go along: of the model that the run began with. */
  readonly origin: string | null
}

/** Beside weights and tokenizer.json, and the same before and after training. */
const COMPANIONS =
  /^(tokenizer_config|special_tokens_map|added_tokens|generation_config)\.json$|^chat_template\.jinja$|^(licen[cs]e|notice)(\.|$)/i

/**
 * Writes a checkpoint as a model folder, whole or not at all. Weights are float32, read and written one at a time.
 * @param target made here; must not exist, or be empty
 * @returns names of the files, sorted
 * @throws AppError `input-invalid` for a full folder or adapters of a checkpoint that has none, `spec-invalid` for a damaged checkpoint
 */
export async function exportModel(
  checkpoint: string,
  target: string,
  { form, card, origin }: ExportOptions,
): Promise<string[]> {
  if (form === 'adapters' && !isAdapterFolder(checkpoint))
    throw new AppError({
      code: 'input-invalid',
      message: `${checkpoint} holds no adapters.`,
      hint: 'Choose another checkpoint, or export the model.',
    })
  return writeNewFolder(target, async (folder) => {
    if (form === 'adapters')
      for (const name of [ADAPTER_CONFIG, ADAPTER_WEIGHTS])
        copyFileSync(path.join(checkpoint, name), path.join(folder, name))
    else await writeModel(checkpoint, folder)
    // Its own settings say more than the ones made here: a chat template, the stop tokens.
    if (origin !== null && existsSync(origin))
      for (const name of readdirSync(origin).filter((one) => COMPANIONS.test(one)))
        cpSync(path.join(origin, name), path.join(folder, name))
    writeFileSync(path.join(folder, 'README.md'), card)
  })
}

async function writeModel(checkpoint: string, folder: string): Promise<void> {
  const model = await openModelFiles(checkpoint)
  try {
    const config = decoderConfigOf(model.config)
    const tensors = Object.fromEntries(
      Object.entries(parameterShapes(config)).map(([name, shape]): [string, TensorToWrite] => [
        name,
        { shape, read: () => model.source.read(name).data },
      ]),
    )
    await writeSafeTensors(path.join(folder, 'model.safetensors'), tensors, { format: 'pt' })
    const { endId, padId } = loadTokenizer(model.tokenizer)
    const json = (name: string, value: unknown): void =>
      writeFileSync(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
    json('config.json', { ...(model.config as object), eos_token_id: endId, pad_token_id: padId })
    writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(model.tokenizer))
    json('generation_config.json', { eos_token_id: endId, pad_token_id: padId, do_sample: true, temperature: 1 })
    json('tokenizer_config.json', {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: tokenText(model.tokenizer, endId),
      pad_token: tokenText(model.tokenizer, padId),
      clean_up_tokenization_spaces: false,
    })
  } finally {
    model.close()
  }
}
