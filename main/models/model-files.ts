// What lies beside the weights in a model folder.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'

/** Null where the file is not needed and not there. @throws AppError `file-not-found`, `model-unsupported` naming the file */
export function readJson(folder: string, name: string, needed: boolean): unknown {
  const file = path.join(folder, name)
  if (!existsSync(file)) {
    if (!needed) return null
    throw new AppError({ code: 'file-not-found', message: `There is no ${name} in ${folder}.`, hint: 'Choose the folder of a model: config.json, model.safetensors and tokenizer.json.' })
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError({ code: 'model-unsupported', message: `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`, hint: 'The file is damaged; fetch it again.', cause: error })
  }
}

const templateField = z.looseObject({ chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]) })

export function readChatTemplate(folder: string): string | null {
  const file = path.join(folder, 'chat_template.jinja')
  if (existsSync(file)) return readFileSync(file, 'utf8')
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
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name))
  if (file !== undefined) return { name: file, text: readFileSync(path.join(folder, file), 'utf8') }
  const readme = path.join(folder, 'README.md')
  if (!existsSync(readme)) return null
  const line = (/^---\n[\s\S]*?^license:\s*(.+?)\s*$[\s\S]*?^---$/m).exec(readFileSync(readme, 'utf8'))
  return line === null ? null : { name: 'README.md', text: line[1]! }
}

/** sha256 over the names and bytes of the files, in the order given. */
export async function hashFiles(folder: string, names: readonly string[], onProgress: (doneBytes: number, totalBytes: number) => void = () => undefined, signal?: AbortSignal): Promise<string> {
  const total = names.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0)
  const hash = createHash('sha256')
  let done = 0
  const buffer = Buffer.allocUnsafeSlow(2 ** 20) // one for all: pieces that nobody has collected yet would stand beside the weights
  for (const name of names) {
    hash.update(`${name}\n`)
    const file = await open(path.join(folder, name))
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
