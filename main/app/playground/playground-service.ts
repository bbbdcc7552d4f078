import { randomBytes } from 'node:crypto'
import type { EventName, EventPayload } from '../../../shared/contract.ts'
import type {
  GeneratedToken,
  Generation,
  GenerationId,
  GenerationRequest,
} from '../../../shared/contract/playground.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { aborted } from '../../base/aborted.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { GenerateStart } from '../../base/processes/generator-protocol.ts'
import { startGenerator, type JobMessage } from './generator.ts'
import { createGeneratorPool, type Lease } from './pool.ts'

/** What a request's source came out as. */
export interface ResolvedSource {
  /** For people: "dpo-3 · step 200". */
  readonly title: string
  readonly model: GenerateStart['model']
  /** Tells these weights from others in the same place. */
  readonly hash: string
  readonly engine: { readonly name: EngineName; readonly why: string }
}

export interface PlaygroundService {
  /** Returns at once; what becomes of it is told in events. */
  generate(request: GenerationRequest, source: ResolvedSource): GenerationId
  /** One that has ended stays as it is. @throws AppError `not-found` */
  cancel(id: string): void
  /** @throws AppError `not-found` */
  get(id: string): Generation
  /** While something is written, or waits for its turn. */
  isBusy(): boolean
  /** Ends every process. */
  close(): Promise<void>
}

export interface PlaygroundDeps {
  readonly command: ProgramCommand
  readonly enginesFolder: string
  readonly events: { emit<N extends EventName>(name: N, payload: EventPayload<N>): void }
}

/** Two models side by side; a third takes the place of the one that was used last. */
const MOST_PROCESSES = 2
/** How long a process without work keeps its model. */
const IDLE_MS = 5 * 60_000
/** Twenty messages a second. */
const TELL_MS = 50
/** Generations that are remembered, so that a page can be loaded anew. */
const KEPT = 40
/** A process that does not obey a cancel within this time is stuck inside the engine, and is ended. */
const OBEY_MS = 15_000

interface Entry {
  generation: Generation
  readonly abort: AbortController
  /** Tokens not told yet, by row. */
  readonly untold: Map<number, GeneratedToken[]>
  timer: ReturnType<typeof setTimeout> | undefined
  firstTokenAtMs: number | null
  firstTokens: number
}

/** Keeps models ready in processes of their own and has them write. It holds nothing on the disk. */
export function createPlaygroundService({ command, enginesFolder, events }: PlaygroundDeps): PlaygroundService {
  const pool = createGeneratorPool({ most: MOST_PROCESSES, idleMs: IDLE_MS })
  const entries = new Map<string, Entry>()

  function require(id: string): Entry {
    const entry = entries.get(id)
    if (entry === undefined)
      throw new AppError({
        code: 'not-found',
        message: `There is no generation "${id}".`,
        hint: 'It was made before the app was started, or long ago. Run it again.',
      })
    return entry
  }

  function change(entry: Entry, changes: Partial<Generation>): void {
    entry.generation = { ...entry.generation, ...changes }
    const { generationId, state, engine, engineWhy, device, layout, promptTokens, tokensPerSec } = entry.generation
    events.emit('playground.state', {
      generationId,
      state,
      engine,
      engineWhy,
      device,
      layout,
      promptTokens,
      tokensPerSec,
    })
  }

  function take(entry: Entry, row: number, token: GeneratedToken): void {
    const { completions } = entry.generation
    const now = performance.now()
    // Completions that began together share the first moment; the rate counts what came after it.
    if (entry.firstTokenAtMs === null) entry.firstTokenAtMs = now
    if (completions[row]!.tokens.length === 0) entry.firstTokens += 1
    const total = completions.reduce((sum, one) => sum + one.tokens.length, 1)
    const elapsedMs = now - entry.firstTokenAtMs
    entry.generation = {
      ...entry.generation,
      tokensPerSec:
        elapsedMs > 0 && total > entry.firstTokens ? (1000 * (total - entry.firstTokens)) / elapsedMs : null,
    }
    const completion = completions[row]!
    completion.tokens.push(token)
    completion.text += token.text
    const untold = entry.untold.get(row)
    if (untold === undefined) entry.untold.set(row, [token])
    else untold.push(token)
    entry.timer ??= setTimeout(() => tell(entry), TELL_MS)
  }

  function tell(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.timer = undefined
    const { generationId, tokensPerSec, completions } = entry.generation
    for (const [row, tokens] of entry.untold)
      events.emit('playground.text', {
        generationId,
        row,
        from: completions[row]!.tokens.length - tokens.length,
        tokens,
        tokensPerSec,
      })
    entry.untold.clear()
  }

  function end(entry: Entry, changes: Pick<Generation, 'state'> & Partial<Generation>): void {
    tell(entry)
    entry.generation = { ...entry.generation, ...changes }
    const { generationId, tokensPerSec, completions, error } = entry.generation
    const state = changes.state === 'failed' ? 'failed' : 'done'
    events.emit('playground.done', {
      generationId,
      state,
      tokensPerSec,
      error,
      completions: completions.map(({ tokens, ...rest }) => ({ ...rest, tokenCount: tokens.length })),
    })
  }

  function cancelled(entry: Entry): void {
    end(entry, {
      state: 'done',
      completions: entry.generation.completions.map((one) => ({ ...one, reason: one.reason ?? 'cancelled' })),
    })
  }

  async function follow(entry: Entry, source: ResolvedSource): Promise<void> {
    const start: GenerateStart = { engine: source.engine.name, threads: null, enginesFolder, model: source.model }
    const { signal } = entry.abort
    const lease = await pool.acquire(JSON.stringify([start, source.hash]), () => startGenerator(command, start), signal)
    if (lease === null) return cancelled(entry)
    try {
      change(entry, { state: 'loading' })
      const device = await Promise.race([lease.generator.ready, aborted(signal)])
      if (device === null) return cancelled(entry)
      change(entry, { device })
      await write(entry, lease, signal)
    } catch (error) {
      end(entry, { state: 'failed', error: toWire(error) })
    } finally {
      lease.release()
    }
  }

  /** Hands the job over and waits for its end. */
  function write(entry: Entry, { generator }: Lease, signal: AbortSignal): Promise<void> {
    const { generationId: id, request } = entry.generation
    const { prompt, template, settings, count, alternatives } = request
    let stuck: ReturnType<typeof setTimeout> | undefined
    const cancel = (): void => {
      generator.cancel(id)
      stuck = setTimeout(() => generator.kill(), OBEY_MS)
    }
    return new Promise((resolve) => {
      const hear = (message: JobMessage): void => {
        if (message.type === 'begin')
          return change(entry, { state: 'writing', layout: message.layout, promptTokens: message.promptTokens })
        if (message.type === 'token') return take(entry, message.row, message.token)
        clearTimeout(stuck)
        signal.removeEventListener('abort', cancel)
        if (message.type === 'error') end(entry, { state: 'failed', error: message.error })
        else
          end(entry, {
            state: 'done',
            completions: entry.generation.completions.map((one, row) => ({ ...one, ...message.completions[row]! })),
          }) // one each
        resolve()
      }
      generator.submit(
        { id, prompt, template, settings, seed: entry.generation.completions[0]!.seed, count, alternatives },
        hear,
      )
      if (signal.aborted) cancel()
      else signal.addEventListener('abort', cancel, { once: true })
    })
  }

  function forgetOld(): void {
    for (const [id, { generation }] of entries) {
      if (entries.size <= KEPT) return
      if (generation.state === 'done' || generation.state === 'failed') entries.delete(id)
    }
  }

  return {
    generate(request, source) {
      const generationId = `generation-${randomBytes(6).toString('hex')}` as GenerationId // made here
      const seed = request.seed ?? randomBytes(4).readUInt32LE()
      const completions = Array.from({ length: request.count }, (_, row) => ({
        seed: seed + row,
        text: '',
        tokens: [],
        reason: null,
        stopString: null,
      }))
      const generation: Generation = {
        generationId,
        title: source.title,
        request,
        state: 'waiting',
        engine: source.engine.name,
        engineWhy: source.engine.why,
        device: '',
        layout: null,
        promptTokens: null,
        tokensPerSec: null,
        completions,
        error: null,
      }
      const entry: Entry = {
        generation,
        abort: new AbortController(),
        untold: new Map(),
        timer: undefined,
        firstTokenAtMs: null,
        firstTokens: 0,
      }
      entries.set(generationId, entry)
      forgetOld()
      void follow(entry, source)
      return generationId
    },
    cancel: (id) => require(id).abort.abort(),
    get: (id) => require(id).generation,
    isBusy: () =>
      [...entries.values()].some(({ generation }) => generation.state !== 'done' && generation.state !== 'failed'),
    async close() {
      for (const { abort } of entries.values()) abort.abort()
      await pool.close()
    },
  }
}
