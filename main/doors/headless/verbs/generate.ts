import { existsSync } from 'node:fs'
import path from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import { z } from 'zod'
import {
  samplingSettings,
  type Generation,
  type GenerationId,
  type GenerationSource,
} from '../../../../shared/contract/playground.ts'
import { engineName } from '../../../../shared/domain.ts'
import { AppError, ERROR_EXIT_STATUS, fromWire } from '../../../../shared/errors.ts'
import { parseModelReference } from '../../../../shared/model-reference.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatNumber } from '../../../../shared/units.ts'
import { nullIfUnknown, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { writeOut, type Output } from '../output.ts'
import { addSchemaFlags, readSchemaFlags } from '../schema-flags.ts'
import { pickModel } from './models.ts'
import { pickRun } from './runs.ts'

/** Stop strings hold commas and blanks: each has a flag of its own. */
const settingsSchema = z.toJSONSchema(samplingSettings.omit({ stopStrings: true }), { io: 'input' })
const POLL_MS = 40

interface GenerateFlags {
  readonly model: string
  readonly chat?: boolean
  readonly system?: string
  readonly template: boolean
  readonly prompt?: string
  readonly stop: readonly string[]
  readonly seed?: string
  readonly count: string
  readonly alternatives: string
  readonly engine: string
}

/** A run's checkpoint, a model that was added, or a folder. */
async function readSource(client: Client, wanted: string): Promise<GenerationSource> {
  const named = parseModelReference(wanted)
  if (named?.kind === 'model') return { kind: 'model', modelId: (await pickModel(client, named.model)).modelId }
  if (named?.kind === 'run')
    return { kind: 'run', runId: (await pickRun(client, named.run)).runId, checkpoint: named.checkpoint }
  if (existsSync(wanted)) return { kind: 'folder', path: path.resolve(wanted) }
  throw new AppError({
    code: 'usage-invalid',
    message: `--model ${wanted} is neither run:<id>, run:<id>@best or run:<id>@last, nor model:<id or name>, nor a folder.`,
    hint: 'For example: --model run:dpo-1@best, --model model:SmolLM, --model ./SmolLM-135M',
  })
}

async function readPrompt({ prompt, chat, system }: GenerateFlags): Promise<Generation['request']['prompt']> {
  if (prompt === undefined && process.stdin.isTTY)
    throw new AppError({
      code: 'usage-invalid',
      message: 'There is no prompt.',
      hint: 'Give --prompt "…", or send it: echo "…" | pairlab generate --model …',
    })
  const text = prompt ?? (await readAll(process.stdin)).replace(/\n$/, '')
  if (chat !== true) return { kind: 'text', text }
  return {
    kind: 'chat',
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: text },
    ],
  }
}

function wholeNumber(flag: string, given: string): number {
  const value = Number(given)
  if (/^\d+$/.test(given) && Number.isSafeInteger(value)) return value
  throw new AppError({
    code: 'usage-invalid',
    message: `--${flag} ${given} is not a whole number.`,
    hint: `For example: --${flag} 1`,
  })
}

/**
 * Writes the completions one after the other as they grow; returns the generation when it has ended. One that went
 * with the process it was written in is written again with the same seeds, and told from where it was.
 */
async function follow(
  client: Client,
  begin: (seed: number | null) => Promise<GenerationId>,
  out: Output,
): Promise<Generation> {
  let generationId = await begin(null)
  let seed: number | null = null
  let row = 0
  let told = 0
  for (;;) {
    const generation = await nullIfUnknown(client.call('playground.get', { generationId }))
    if (generation === null) {
      generationId = await begin(seed)
      continue
    }
    seed = generation.completions[0]?.seed ?? null
    const ended = generation.state === 'done' || generation.state === 'failed'
    if (!out.json) {
      for (;;) {
        const completion = generation.completions[row]
        if (completion === undefined) break
        if (told === 0 && generation.completions.length > 1 && completion.text !== '')
          writeOut(`--- seed ${completion.seed}\n`)
        writeOut(completion.text.slice(told))
        told = completion.text.length
        if (!ended) break
        writeOut('\n')
        row += 1
        told = 0
      }
    }
    if (ended) return generation
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function write(
  client: Client,
  flags: GenerateFlags & Readonly<Record<string, unknown>>,
  out: Output,
): Promise<void> {
  const settings = {
    ...readSchemaFlags(settingsSchema, flags),
    stopStrings: flags.stop.map((one) => one.replaceAll('\\n', '\n')),
  }
  const request = {
    source: await readSource(client, flags.model),
    prompt: await readPrompt(flags),
    template: flags.template,
    settings,
    seed: flags.seed === undefined ? null : wholeNumber('seed', flags.seed),
    count: wholeNumber('count', flags.count),
    alternatives: wholeNumber('alternatives', flags.alternatives),
    engine: flags.engine as 'auto', // checked by the contract
  }
  let current: GenerationId | null = null
  const begin = async (seed: number | null): Promise<GenerationId> =>
    (current = (await client.call('playground.generate', seed === null ? request : { ...request, seed })).generationId)
  let interrupted = false
  const cancel = (): void => {
    interrupted = true
    if (current !== null) void client.call('playground.cancel', { generationId: current }).catch(() => undefined) // then it has ended, or the app has
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cancel)
  try {
    const generation = await follow(client, begin, out)
    if (generation.error !== null) throw fromWire(generation.error)
    out.result(generation)
    const rate = generation.tokensPerSec === null ? '' : `, ${formatNumber(generation.tokensPerSec)} tokens/s`
    const first = generation.completions[0]
    if (!out.json)
      out.note(`${generation.title}: ${first?.reason ?? ''}, seed ${first?.seed ?? ''}, ${generation.engine}${rate}`)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, cancel)
  }
  if (interrupted) process.exitCode = ERROR_EXIT_STATUS.cancelled
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description(
      'Write with a model: a run’s checkpoint, a model that was added, or a folder. Text goes to standard output as it is written.',
    )
    .requiredOption('--model <model>', 'run:<id>[@best], model:<id or name>, or a folder')
    .option('--prompt <text>', 'left out: standard input')
    .option('--chat', 'the prompt is a user’s turn, the answer an assistant’s; without it the prompt is completed')
    .option('--system <text>', 'with --chat: a system turn before it')
    .option('--no-template', 'with --chat: plain tags in place of the model’s own chat template')
    .option(
      '--stop <text>',
      'ends a completion and is cut from it; may be given several times; \\n is a line break',
      (value: string, before: readonly string[]) => [...before, value],
      [] as readonly string[],
    )
    .option('--seed <n>', 'of the first completion, the next takes the next number; left out, one is drawn and told')
    .option('--count <n>', 'completions of the same prompt', '1')
    .option('--alternatives <n>', 'with --json: this many of the likeliest tokens at each place', '0')
    .addOption(new Option('--engine <name>').choices(['auto', ...engineName.options]).default('auto'))
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab generate --model run:dpo-1@best --chat --prompt "Name a colour." --temperature 0.7\n  pairlab generate --model ./SmolLM-135M --prompt "Once upon" --top-p 0.9 --count 4 --seed 1\n  pairlab generate --model model:SmolLM --json < prompt.txt    tokens with log-probs',
    )
  addSchemaFlags(
    command,
    settingsSchema,
    'Drawing a token, in this order: repetition penalty, temperature, top-k, top-p, min-p:',
  )
  return command.action(async (flags: GenerateFlags & Readonly<Record<string, unknown>>) => {
    const { out, dataDir } = globals(command)
    await withClient(dataDir, ({ client }) => write(client, flags, out), 'own')
  })
}
