// A GGUF file in the place of a model's folder: what lies in a folder as files is read from its header.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../../shared/errors.ts'
import { ggufConfig, tokenNumbers } from './architecture.ts'
import { readGgufHeader, type GgufHeader } from './header.ts'
import { ggufTokenizer, ggufTokenizerConfig } from './tokenizer.ts'

/** The GGUF file that the place is, or the one in the folder where there is no config.json; null: a folder of another kind. */
export function findGguf(place: string): string | null {
  const found = statSync(place, { throwIfNoEntry: false })
  if (found?.isFile() === true) return isGguf(place) ? place : null
  if (found?.isDirectory() !== true || existsSync(path.join(place, 'config.json'))) return null
  const files = readdirSync(place).filter(isGguf)
  if (files.length > 1)
    throw new AppError({
      code: 'model-unsupported',
      message: `${place} holds ${files.length} GGUF files: ${files.toSorted().slice(0, 4).join(', ')}${files.length > 4 ? ' …' : ''}.`,
      hint: 'Give one of the files. A model in several parts (-00001-of-…) is put together by llama.cpp’s gguf-split --merge.',
    })
  return files.length === 0 ? null : path.join(place, files[0]!)
}

export function isGguf(file: string): boolean {
  return file.toLowerCase().endsWith('.gguf')
}

/** The last one read: a model is opened through several of its files, and a vocabulary takes a while. */
let last: { readonly mark: string; readonly header: GgufHeader; readonly documents: Map<string, unknown> } | null = null

function remembered(file: string): NonNullable<typeof last> {
  const { size, mtimeMs, ino } = statSync(file)
  const mark = `${file}\n${size}\n${mtimeMs}\n${ino}`
  if (last?.mark !== mark) last = { mark, header: readGgufHeader(file), documents: new Map() }
  return last
}

/** @throws AppError as readGgufHeader */
export function ggufHeader(file: string): GgufHeader {
  return remembered(file).header
}

const DOCUMENTS: Readonly<Record<string, (header: GgufHeader) => unknown>> = {
  'config.json': ggufConfig,
  'tokenizer.json': ggufTokenizer,
  'tokenizer_config.json': ggufTokenizerConfig,
  'generation_config.json': tokenNumbers,
}

/** What a file of this name would hold, parsed; null for others. @throws AppError as the parts of the header */
export function ggufDocument(file: string, name: string): unknown {
  const make = DOCUMENTS[name]
  if (make === undefined) return null
  const { header, documents } = remembered(file)
  if (!documents.has(name)) documents.set(name, make(header))
  return documents.get(name)
}
