import { useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { z } from 'zod'
import type { Output } from '../../shared/contract.ts'
import type { Generation, GenerationId, PlaygroundSources } from '../../shared/contract/playground.ts'
import type { AppError } from '../../shared/errors.ts'
import { asAppError } from '../api/client.ts'
import { callApp, useCall } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import {
  findProblems,
  historyOf,
  INITIAL_CHOICES,
  presentSource,
  readSeed,
  readSettings,
  readSource,
  type Mode,
  type PlaygroundChoices,
  type SideName,
  type Turn,
} from './playground-state.ts'

/** Kept with the tab, so that a page that is loaded anew finds what was written. */
const STORE_KEY = 'pairlab.playground'
/** How many likely tokens are shown for each place. */
const ALTERNATIVES = 5

type Conversation = { readonly [M in Mode]: readonly Turn[] }
const turns: z.ZodType<readonly Turn[]> = z.array(
  z.object({ id: z.string(), text: z.string(), left: z.string().nullable(), right: z.string().nullable() }),
)
const keptConversation: z.ZodType<Conversation> = z.object({ chat: turns, complete: turns })

export interface Playground {
  readonly choices: PlaygroundChoices
  readonly sources: PlaygroundSources
  readonly problems: Readonly<Record<string, string>>
  /** Of the mode that is shown. */
  readonly turns: readonly Turn[]
  readonly sides: readonly SideName[]
  readonly busy: boolean
  /** What the app refused, by side. */
  readonly refusals: Readonly<Partial<Record<SideName, AppError>>>
  sourceOf(side: SideName): string
  change(changes: Partial<PlaygroundChoices>): void
  /** Asks every open side. */
  run(text: string): Promise<void>
  /** The last question anew, with another seed. */
  again(): Promise<void>
  /** The last question anew on one side, with the same seed. */
  retry(side: SideName): Promise<void>
  stop(): void
  clear(): void
}

function restore(): Conversation {
  try {
    return keptConversation.parse(JSON.parse(window.sessionStorage.getItem(STORE_KEY) ?? ''))
  } catch {
    return { chat: [], complete: [] } // none yet, or of another version
  }
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}

export function usePlayground(sources: PlaygroundSources): Playground {
  const cache = useQueryClient()
  const [stored, store] = useViewState<PlaygroundChoices>('playground', INITIAL_CHOICES)
  // The page's own copy is the one that is drawn: a field must show a key press before the settings have it.
  const [choices, setChoices] = useState(() => ({ ...INITIAL_CHOICES, ...stored }))
  const [conversation, setConversation] = useState(restore)
  const [refusals, setRefusals] = useState<Partial<Record<SideName, AppError>>>({})
  const [sending, setSending] = useState(false)
  const { mode } = choices
  const turns = conversation[mode]
  const last = turns.at(-1)
  const sides: readonly SideName[] = choices.open === 'both' ? ['left', 'right'] : [choices.open]
  const leftState = useGeneration(last?.left ?? null).data?.state
  const rightState = useGeneration(last?.right ?? null).data?.state
  const busy =
    sending ||
    [leftState, rightState].some((state) => state === 'waiting' || state === 'loading' || state === 'writing')
  const problems = findProblems(choices)
  const sourceOf = (side: SideName): string => presentSource(choices[side], sources, side === 'left' ? 0 : 1)
  const find = (generationId: string): Generation | undefined =>
    cache.getQueryData<Output<'playground.get'>>(['playground.get', { generationId }])

  function keep(next: readonly Turn[]): void {
    const all = { ...conversation, [mode]: next }
    setConversation(all)
    window.sessionStorage.setItem(STORE_KEY, JSON.stringify(all))
  }

  async function ask(
    side: SideName,
    before: readonly Turn[],
    text: string,
    seed: number,
  ): Promise<GenerationId | null> {
    const source = readSource(sourceOf(side))
    if (source === null) return null
    try {
      const { generationId } = await callApp('playground.generate', {
        source,
        prompt:
          mode === 'chat'
            ? {
                kind: 'chat',
                messages: [...historyOf(before, side, choices.system, find), { role: 'user', content: text }],
              }
            : { kind: 'text', text },
        template: choices.template,
        settings: readSettings(choices),
        seed,
        alternatives: ALTERNATIVES,
        engine: choices.engine as 'auto', // the contract checks it
      })
      return generationId
    } catch (error) {
      setRefusals((others) => ({ ...others, [side]: asAppError(error) }))
      return null
    }
  }

  /** @param others what sides that are not asked have already */
  async function send(
    before: readonly Turn[],
    text: string,
    seeds: Readonly<Record<SideName, number>>,
    asked: readonly SideName[],
    others: Pick<Turn, SideName> = { left: null, right: null },
  ): Promise<void> {
    setSending(true)
    setRefusals({})
    const ids = { left: others.left, right: others.right }
    await Promise.all(
      asked.map(async (side) => {
        ids[side] = await ask(side, before, text, seeds[side])
      }),
    )
    keep([...before, { id: crypto.randomUUID(), text, ...ids }])
    setSending(false)
  }

  function seedsFrom(first: number): Record<SideName, number> {
    return { left: first, right: choices.sameSeed ? first : (first + 1) % 2 ** 32 }
  }

  return {
    choices,
    sources,
    problems,
    turns,
    sides,
    busy,
    refusals,
    sourceOf,
    change(changes) {
      const next = { ...choices, ...changes }
      setChoices(next)
      store(next)
    },
    run: (text) => send(mode === 'chat' ? turns : [], text, seedsFrom(readSeed(choices.seed) ?? randomSeed()), sides),
    async again() {
      if (last !== undefined) await send(turns.slice(0, -1), last.text, seedsFrom(randomSeed()), sides)
    },
    async retry(side) {
      if (last === undefined) return
      const seed = last[side] === null ? undefined : find(last[side])?.request.seed
      await send(turns.slice(0, -1), last.text, seedsFrom(seed ?? randomSeed()), [side], last)
    },
    stop() {
      for (const id of [last?.left, last?.right])
        if (id != null) callApp('playground.cancel', { generationId: id as GenerationId }).catch(() => undefined) // then it has ended
    },
    clear() {
      setRefusals({})
      keep([])
    },
  }
}

/** What is known of a generation now; it grows with the app's events. */
export function useGeneration(generationId: string | null): ReturnType<typeof useCall<'playground.get'>> {
  return useCall(
    'playground.get',
    { generationId: (generationId ?? '') as GenerationId },
    { enabled: generationId !== null },
  )
}
