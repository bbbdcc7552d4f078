// `entry.ts generate <json>`: keeps one model and writes with it for as long as standard input is open. See
// generate-protocol.ts. It opens no database and writes no file.
import { createInterface } from 'node:readline'
import { AppError, toWire } from '../../../shared/errors.ts'
import { systemError } from '../../base/files/system-error.ts'
import { encodePromptText } from '../../core/learn/tokens/encode-prompt.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import { createRandom } from '../../core/learn/random.ts'
import type { SampledToken } from '../../core/learn/sampling/sample.ts'
import type { TokenLogProb } from '../../core/learn/sampling/sample-draw.ts'
import { sampleTexts } from '../../core/learn/sampling/sample-text.ts'
import { openEngine } from '../engine/choose.ts'
import type { Engine } from '../engine/engine.ts'
import { openWriter, type Writer } from './generate-model.ts'
import {
  generateCommand,
  generateStart,
  type GenerateJob,
  type GenerateMessage,
  type GenerateStart,
} from '../../base/processes/generator-protocol.ts'
import { nameMemoryFailure } from '../memory-failure.ts'

const MEMORY_HINT = 'Choose a smaller model, fewer max tokens, or a shorter prompt.'

interface Pending {
  readonly job: GenerateJob
  /** Looked at after every token. */
  readonly signal: { aborted: boolean }
}

export async function generate(text: string): Promise<number> {
  const start = generateStart.parse(JSON.parse(text))
  const queue: Pending[] = []
  let wake: () => void = () => undefined
  let ended = false
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
  lines.on('line', (line) => {
    const command = generateCommand.parse(JSON.parse(line))
    if (command.type === 'cancel') for (const one of queue) one.signal.aborted ||= one.job.id === command.id
    else {
      const { type: _type, ...job } = command
      queue.push({ job, signal: { aborted: false } })
    }
    wake()
  })
  // The app is gone, or has no more use for this process.
  lines.on('close', () => {
    ended = true
    for (const one of queue) one.signal.aborted = true
    wake()
  })
  const opened = await open(start)
  if (opened === null) return 1
  while (!ended) {
    const next = queue[0]
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      continue
    }
    await answer(opened, next)
    queue.shift()
  }
  return 0
}

interface Opened {
  readonly engine: Engine
  readonly writer: Writer
}

async function open({ engine: name, threads, enginesFolder, model }: GenerateStart): Promise<Opened | null> {
  try {
    const engine = await openEngine(name, { threads, enginesFolder })
    const writer = await openWriter(model)
    say({ type: 'ready', device: engine.device })
    return { engine, writer }
  } catch (error) {
    say({ type: 'unfit', error: toWire(nameMemoryFailure(error, MEMORY_HINT)) })
    return null
  }
}

async function answer({ engine, writer }: Opened, { job, signal }: Pending): Promise<void> {
  try {
    const { language } = writer
    const { tokenizer } = language
    const { ids, layout } = encodePromptText(language, job.prompt, job.template)
    say({ type: 'begin', id: job.id, layout, promptTokens: ids.length })
    const completions = await sampleTexts(
      writer.decoder,
      tokenizer,
      Array.from({ length: job.count }, () => ids),
      (row) => createRandom(job.seed + row),
      samplingOptions(writer, job),
      {
        signal,
        onToken: (row, token, text) => say({ type: 'token', id: job.id, row, token: describe(tokenizer, token, text) }),
        async breathe() {
          await new Promise((resolve) => setImmediate(resolve)) // a cancel comes in
          const trouble = engine.trouble?.() ?? null
          if (trouble !== null) throw trouble
        },
      },
    )
    say({
      type: 'done',
      id: job.id,
      completions: completions.map(({ text, reason, stopString }) => ({ text, reason, stopString })),
    })
  } catch (error) {
    const named = nameMemoryFailure(engine.trouble?.() ?? error, MEMORY_HINT)
    if (!(named instanceof AppError)) console.error(named)
    say({ type: 'error', id: job.id, error: toWire(systemError(named)) })
  }
}

function samplingOptions(
  { language: { tokenizer } }: Writer,
  { settings, alternatives }: GenerateJob,
): Parameters<typeof sampleTexts>[4] {
  return { ...settings, endId: tokenizer.endId, stopIds: tokenizer.stopIds, modelLogProbs: true, alternatives }
}

function describe(
  tokenizer: Tokenizer,
  token: SampledToken,
  text: string,
): Extract<GenerateMessage, { type: 'token' }>['token'] {
  const piece = (id: number): string => tokenizer.decode([id], { skipSpecial: false })
  const alternative = ({ id, logProb }: TokenLogProb): { id: number; piece: string; logProb: number } => ({
    id,
    piece: piece(id),
    logProb,
  })
  return {
    id: token.id,
    piece: piece(token.id),
    text,
    logProb: token.modelLogProb ?? 0,
    drawnLogProb: token.logProb,
    alternatives: token.alternatives.map(alternative),
  }
}

function say(message: GenerateMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
