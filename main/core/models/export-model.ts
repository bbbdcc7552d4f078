// A checkpoint as a folder that other programs open: the layout of the Hugging Face libraries, or of PEFT's adapters.
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { decoderConfigOf } from '../learn/models/hf-config.ts'
import { parameterShapes } from '../learn/models/parameters.ts'
import { LAYOUT_MARK, layoutOf, openLanguage, tokenId } from '../learn/tokens/language.ts'
import { TAGS_TEMPLATE } from '../learn/tokens/tags-format.ts'
import type { Tokenizer } from '../learn/tokens/tokenizer.ts'
import type { TextLayout } from '../../../shared/text-layouts.ts'
import { openModelFiles, type ModelFiles } from './checkpoint-files.ts'
import { framedBy } from './framed-tokenizer.ts'
import { writeGguf, type GgufType } from './gguf/write.ts'
import { tokenizerEntries } from './gguf/write-tokenizer.ts'
import { filesBeside, licenceNamed, tokenText } from './model-files.ts'
import { writeNewFolder } from './new-folder.ts'
import { isAdapterFolder } from './peft.ts'
import { writeAdapters } from './write-adapters.ts'
import { writeSafeTensors, type TensorToWrite } from './write.ts'

export interface ExportOptions {
  /** `model`: everything, adapters merged into the weights. `adapters`: what PEFT lays beside a model. */
  readonly form: 'model' | 'adapters'
  /** False: it reads texts as its tokenizer has them, and nobody speaks to it. */
  readonly writes?: boolean
  /** Text of README.md. */
  readonly card: string
  /** Folder whose licence goes along: of the model that the run began with. */
  readonly origin: string | null
}

/** Of a model whose configuration says no longest sequence. */
const DEFAULT_LENGTH = 2048

/** The same before and after training. How the model is spoken to is written as it was trained, not copied. */
const COMPANIONS = /^(licen[cs]e|notice)(\.|$)/i

/**
 * Writes a checkpoint as a model folder, whole or not at all. Weights are float32, read and written one at a time.
 * @param target made here; must not exist, or be empty
 * @returns names of the files, sorted
 * @throws AppError `input-invalid` for a full folder or adapters of a checkpoint that has none, `spec-invalid` for a damaged checkpoint
 */
export async function exportModel(
  checkpoint: string,
  target: string,
  { form, writes = true, card, origin }: ExportOptions,
): Promise<string[]> {
  if (form === 'adapters' && !isAdapterFolder(checkpoint))
    throw new AppError({
      code: 'input-invalid',
      message: `${checkpoint} holds no adapters.`,
      hint: 'Choose another checkpoint, or export the model.',
    })
  return writeNewFolder(target, async (folder) => {
    const model = await openModelFiles(checkpoint)
    try {
      if (form === 'model') await writeModel(model, folder)
      else await writeAdapters(checkpoint, folder)
      if (writes) writeLanguage(model, folder)
      else writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(model.tokenizer))
    } finally {
      model.close()
    }
    writeCompanions(folder, origin, card)
  })
}

/** The licence of the model that the run began with, and the card. */
function writeCompanions(folder: string, origin: string | null, card: string): void {
  if (origin !== null && existsSync(origin))
    for (const name of filesBeside(origin).filter((one) => COMPANIONS.test(one)))
      cpSync(path.join(origin, name), path.join(folder, name))
  writeFileSync(path.join(folder, 'README.md'), card)
}

/**
 * Writes a checkpoint as a GGUF file in a folder of its own, adapters merged, whole or not at all.
 * @param name of the file, before the type of its numbers
 * @returns as exportModel   @throws AppError as exportModel, and `model-unsupported` for what the format has no place for
 */
export async function exportGguf(
  checkpoint: string,
  target: string,
  {
    type,
    name,
    card,
    origin,
  }: Omit<ExportOptions, 'form' | 'writes'> & { readonly type: GgufType; readonly name: string },
): Promise<string[]> {
  return writeNewFolder(target, async (folder) => {
    const model = await openModelFiles(checkpoint)
    try {
      const config = decoderConfigOf(model.config)
      const { layout, tokenizer, template } = spokenAs(model)
      const { opening, stopIds, padId, json } = tokenizer
      const begin = model.language.specialTokens['bos_token']
      await writeGguf(
        path.join(folder, `${name}.${type}.gguf`),
        {
          config,
          source: model.source,
          maxLength: DEFAULT_LENGTH,
          name,
          licence: origin === null || !existsSync(origin) ? null : licenceNamed(origin),
          tokenizer: tokenizerEntries(json, config.vocabSize, {
            beginId: opening[0] ?? tokenId(json, begin) ?? null,
            putsBeginning: opening.length > 0,
            endIds: stopIds,
            padId,
            chatTemplate: template,
            layout,
          }),
        },
        type,
      )
    } finally {
      model.close()
    }
    writeCompanions(folder, origin, card)
  })
}

async function writeModel(model: ModelFiles, folder: string): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries(parameterShapes(decoderConfigOf(model.config))).map(([name, shape]): [string, TensorToWrite] => [
      name,
      { shape, read: () => model.source.read(name).data },
    ]),
  )
  await writeSafeTensors(path.join(folder, 'model.safetensors'), tensors, { format: 'pt' })
  const { stopIds, padId } = spokenAs(model).tokenizer
  const ends = idOrIds(stopIds)
  writeJson(folder, 'config.json', { ...(model.config as object), eos_token_id: ends, pad_token_id: padId })
}

/** As it was trained, which an export says in place of what its folder said before. */
function spokenAs({ language }: ModelFiles): {
  readonly layout: TextLayout
  readonly tokenizer: Tokenizer
  /** Null where text is served as it stands. */
  readonly template: string | null
} {
  const layout = layoutOf(language, true)
  const template = layout === 'tags' ? TAGS_TEMPLATE : layout === 'template' ? language.chatTemplate : null
  return { layout, template, tokenizer: openLanguage(language, layout).tokenizer }
}

function idOrIds(ids: readonly number[]): number | readonly number[] {
  return ids.length === 1 ? ids[0]! : ids // counted
}

function writeJson(folder: string, name: string, value: unknown): void {
  writeFileSync(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
}

/** Tokenizer, end tokens and chat template with which the weights were trained: served so, the model reads what it has learned to read. */
function writeLanguage(model: ModelFiles, folder: string): void {
  const { layout, tokenizer, template } = spokenAs(model)
  const { endId, padId, json } = tokenizer
  const { tokenizerConfig, generationConfig } = model.language
  writeJson(folder, 'generation_config.json', {
    ...((generationConfig ?? { do_sample: true, temperature: 1 }) as object),
    eos_token_id: idOrIds(tokenizer.stopIds),
    pad_token_id: padId,
  })
  writeJson(folder, 'tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    ...((tokenizerConfig ?? {}) as object),
    eos_token: tokenText(json, endId),
    pad_token: tokenText(json, padId),
    [LAYOUT_MARK]: layout,
  })
  // In Pairlab's own layout an end token stands after every prompt.
  const served = layout === 'tags' ? framedBy(json, [], [endId]) : json
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(served))
  if (template !== null) writeFileSync(path.join(folder, 'chat_template.jinja'), template)
}
