import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import { moveDurably, replaceFile } from '../../../base/files/durable.ts'
import { decodeNpy } from '../../../base/files/npy.ts'
import { askWorker } from '../../../base/processes/ask-worker.ts'
import { isGguf } from '../../../core/models/gguf/place.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { writeJson } from '../output.ts'
import { workerFor } from '../worker.ts'
import { pickModel } from './models.ts'

interface EmbedFlags {
  readonly model: string
  readonly out?: string
  readonly prompt?: string
  readonly field: string
  readonly engine: EngineName
}

export function embedCommand(): Command {
  return new Command('embed')
    .description(
      'Turn texts into vectors with an encoder, or with a decoder’s pooled hidden states. One text a line; of .jsonl one string or object a line.',
    )
    .argument('[texts]', 'file of texts; absent or -: standard input')
    .requiredOption('--model <model>', 'a registered model (see: pairlab models), or a folder')
    .option(
      '--out <file>',
      '.npy for a float32 matrix, .jsonl for text and vector; without it JSON lines on standard output',
    )
    .option('--prompt <name>', 'one of the model’s prompts, put before every text')
    .option('--field <name>', 'of the objects in a .jsonl file', 'text')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('wasm'))
    .action(async (file: string | undefined, flags: EmbedFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      const target = flags.out === undefined ? null : path.resolve(flags.out)
      if (target !== null && !/\.(npy|jsonl)$/.test(target))
        throw new AppError({
          code: 'usage-invalid',
          message: `${flags.out} is neither .npy nor .jsonl.`,
          hint: 'The ending says how the vectors are written.',
        })
      const texts = readTexts(file, flags.field)
      const folder = await folderOf(dataDir, flags.model)
      const { worker, enginesFolder } = workerFor(dataDir)
      const work = mkdtempSync(path.join(tmpdir(), 'pairlab-embed-'))
      try {
        const matrix = target?.endsWith('.npy') === true ? `${target}.partial` : path.join(work, 'vectors.npy')
        const { dim, cutCount, maxTokens } = await askWorker(
          worker,
          'embed',
          { folder, texts, prompt: flags.prompt ?? null, out: matrix, engine: flags.engine, enginesFolder },
          { onNote: (text) => out.note(text) },
        )
        if (cutCount > 0)
          out.note(
            `${cutCount} of ${texts.length} texts were longer than ${maxTokens} tokens and were cut at their end.`,
          )
        if (target?.endsWith('.npy') === true) moveDurably(matrix, target)
        const rows = target?.endsWith('.npy') === true ? [] : rowsOf(matrix, dim)
        const lines = (): string =>
          rows.map((embedding, at) => `${JSON.stringify({ text: texts[at], embedding })}\n`).join('')
        if (target?.endsWith('.jsonl') === true) replaceFile(target, lines())
        if (target === null && !out.json) writeJson(lines())
        out.result(
          {
            folder,
            engine: flags.engine,
            count: texts.length,
            dim,
            cutCount,
            out: target,
            ...(target === null ? { embeddings: rows } : {}),
          },
          target === null ? undefined : `${texts.length} × ${dim} numbers in ${target}`,
        )
      } finally {
        rmSync(work, { recursive: true, force: true })
      }
    })
}

/** float32 numbers as doubles, which say the same. */
function rowsOf(matrix: string, dim: number): number[][] {
  const {
    data,
    shape: [count = 0],
  } = decodeNpy(readFileSync(matrix), matrix)
  return Array.from({ length: count }, (_none, at) => Array.from(data.subarray(at * dim, (at + 1) * dim)))
}

/** A folder as it is given; else a model by its id or name. */
async function folderOf(dataDir: string | undefined, wanted: string): Promise<string> {
  if (existsSync(path.join(wanted, 'config.json')) || isGguf(wanted)) return path.resolve(wanted)
  const model = await withClient(dataDir, ({ client }) => pickModel(client, wanted))
  if (model.trouble !== null)
    throw new AppError({
      code: 'model-unsupported',
      message: `"${model.name}" cannot be used: ${model.trouble.message}`,
      hint: model.trouble.hint,
    })
  return model.path
}

function readTexts(file: string | undefined, field: string): string[] {
  const fromInput = file === undefined || file === '-'
  if (!fromInput && !existsSync(file))
    throw new AppError({
      code: 'file-not-found',
      message: `There is no file ${file}.`,
      hint: 'Give a file with one text a line, or pipe the texts in.',
    })
  const content = readFileSync(fromInput ? 0 : file, 'utf8').replace(/^\uFEFF/, '')
  const lines = content.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop() // what stands behind the last line's end
  if (lines.length === 0)
    throw new AppError({ code: 'input-invalid', message: 'There is no text to embed.', hint: 'One text a line.' })
  return fromInput || !/\.(jsonl|ndjson)$/.test(file)
    ? lines
    : lines.flatMap((line, at) => (line.trim() === '' ? [] : [textOf(line, at + 1, field)]))
}

function textOf(line: string, number: number, field: string): string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new AppError({
      code: 'input-invalid',
      message: `Line ${number} is not JSON.`,
      hint: 'Each line of a .jsonl file is one JSON value.',
      cause: error,
    })
  }
  const text = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : value
  if (typeof text !== 'string')
    throw new AppError({
      code: 'input-invalid',
      message: `Line ${number} has no text in "${field}".`,
      hint: 'Name the field with --field.',
    })
  return text
}
