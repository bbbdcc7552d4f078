// What lies beside the weights in a model folder.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { findGguf, ggufDocument, ggufHeader, isGguf } from './gguf/place.ts'
import { ggufChatTemplate } from './gguf/tokenizer.ts'
import { isNestedDeeperThan, MOST_NESTED } from '../../base/files/nesting.ts'
import { openRegularFile, readFileHead, readWholeFile } from '../../base/files/regular-file.ts'

/** The largest tokenizers that are published have 35 MB. */
const TOKENIZER_LIMIT_BYTES = 64_000_000
/** Settings and indexes; the index of a model of a hundred thousand tensors has 10 MB. */
const SETTINGS_LIMIT_BYTES = 16_000_000
const TEMPLATE_LIMIT_BYTES = 1_000_000
/** More of a licence, or of the page beside a model, is not shown. */
const LICENCE_SHOWN_BYTES = 256 * 1024

/**
 * Null where the file is not needed and not there. @param folder or a GGUF file, whose header says the same
 * @throws AppError `file-not-found`, `model-unsupported` naming the file
 */
export function readJson(folder: string, name: string, needed: boolean): unknown {
  const gguf = findGguf(folder)
  if (gguf !== null) return ggufDocument(gguf, name)
  const file = path.join(folder, name)
  if (!existsSync(file)) {
    if (!needed) return null
    throw new AppError({
      code: 'file-not-found',
      message: `There is no ${name} in ${folder}.`,
      hint: 'Choose the folder of a model: config.json, model.safetensors and tokenizer.json.',
    })
  }
  try {
    const value: unknown = JSON.parse(
      readWholeFile(file, name === 'tokenizer.json' ? TOKENIZER_LIMIT_BYTES : SETTINGS_LIMIT_BYTES).toString('utf8'),
    )
    if (isNestedDeeperThan(value, MOST_NESTED))
      throw new AppError({
        code: 'model-unsupported',
        message: `${name} has lists or objects that stand inside each other more than ${MOST_NESTED} deep.`,
        hint: 'It is not the file that its name says; fetch it again.',
      })
    return value
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError({
      code: 'model-unsupported',
      message: `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'The file is damaged; fetch it again.',
      cause: error,
    })
  }
}

/** A file of the model. @param place its folder; or the file itself, where that is the whole model */
export function fileIn(place: string, name: string): string {
  return isGguf(place) && path.basename(place) === name ? place : path.join(place, name)
}

/** Names of what lies in a model's folder; nothing beside a model that is a file alone. */
export function filesBeside(place: string): string[] {
  return isGguf(place) && isFile(place) ? [] : readdirSync(place)
}

const templateField = z.looseObject({
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]),
})

export function readChatTemplate(folder: string): string | null {
  const gguf = findGguf(folder)
  if (gguf !== null) return ggufChatTemplate(ggufHeader(gguf))
  const file = path.join(folder, 'chat_template.jinja')
  if (existsSync(file)) return readWholeFile(file, TEMPLATE_LIMIT_BYTES).toString('utf8')
  const parsed = templateField.safeParse(readJson(folder, 'tokenizer_config.json', false))
  if (!parsed.success) return null
  const template = parsed.data.chat_template
  return typeof template === 'string' ? template : (template.find((one) => one.name === 'default')?.template ?? null)
}

const specialToken = z.union([z.string(), z.looseObject({ content: z.string() })])

/** Of special_tokens_map.json and tokenizer_config.json; the latter is the newer file and wins. */
export function readSpecialTokens(folder: string): Record<string, string> {
  const names: Record<string, string> = {}
  for (const file of ['special_tokens_map.json', 'tokenizer_config.json']) {
    for (const [key, value] of Object.entries((readJson(folder, file, false) ?? {}) as object)) {
      const token = key.endsWith('_token') ? specialToken.safeParse(value) : null
      if (token?.success === true) names[key] = typeof token.data === 'string' ? token.data : token.data.content
    }
  }
  return names
}

export function readLicence(folder: string): { readonly name: string; readonly text: string } | null {
  const gguf = findGguf(folder)
  const named = gguf === null ? null : licenceNamed(folder)
  if (gguf !== null && named !== null) return { name: named, text: `${named}, as ${path.basename(gguf)} says` }
  const file = filesBeside(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name) && isFile(path.join(folder, name)))
  if (file !== undefined) return { name: file, text: readShown(path.join(folder, file)) }
  const said = licenceNamed(folder)
  return said === null ? null : { name: 'README.md', text: said }
}

/** Of a GGUF file, or of the page beside a model: the licence by its name, `apache-2.0`. */
export function licenceNamed(place: string): string | null {
  const gguf = findGguf(place)
  const said = gguf === null ? undefined : ggufHeader(gguf).metadata.get('general.license')
  if (typeof said === 'string' && said !== '') return said
  const readme = path.join(place, 'README.md')
  return isFile(readme) ? licenceOfPage(readShown(readme)) : null
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return false // a link that leads nowhere, or round in a circle
  }
}

function readShown(file: string): string {
  const { bytes, whole } = readFileHead(file, LICENCE_SHOWN_BYTES)
  return whole ? bytes.toString('utf8') : `${bytes.toString('utf8')}\n[…]`
}

/** `license: …` between the two lines of dashes at the head of the page. Line by line: a pattern over it all can take for ever. */
function licenceOfPage(page: string): string | null {
  const [first, ...lines] = page.split(/\r?\n/)
  const end = lines.findIndex((line) => line.trimEnd() === '---')
  if (first?.trimEnd() !== '---' || end === -1) return null
  const said = lines
    .slice(0, end)
    .find((line) => line.startsWith('license:'))
    ?.slice('license:'.length)
    .trim()
  return said === undefined || said === '' ? null : said
}

/** sha256 over the names and bytes of the files, in the order given. */
export async function hashFiles(
  folder: string,
  names: readonly string[],
  onProgress: (doneBytes: number, totalBytes: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<string> {
  const total = names.reduce((sum, name) => sum + statSync(fileIn(folder, name)).size, 0)
  const hash = createHash('sha256')
  let done = 0
  const buffer = Buffer.allocUnsafeSlow(2 ** 20) // one for all: pieces that nobody has collected yet would stand beside the weights
  for (const name of names) {
    hash.update(`${name}\n`)
    const { handle: file } = await openRegularFile(fileIn(folder, name))
    try {
      for (;;) {
        signal?.throwIfAborted()
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
        if (bytesRead === 0) break
        hash.update(buffer.subarray(0, bytesRead))
        done += bytesRead
        onProgress(done, total)
      }
    } finally {
      await file.close()
    }
  }
  return hash.digest('hex')
}

/** How a tokenizer.json writes a token; null where it has none of this number. */
export function tokenText(json: unknown, id: number): string | null {
  const file = json as {
    readonly added_tokens?: readonly { readonly id: number; readonly content: string }[]
    readonly model?: { readonly vocab?: Readonly<Record<string, number>> }
  }
  const added = file.added_tokens?.find((token) => token.id === id)
  return added?.content ?? Object.entries(file.model?.vocab ?? {}).find(([, value]) => value === id)?.[0] ?? null
}
