import type { QueryClient } from '@tanstack/react-query'
import type { EventPayload, Output } from '../../shared/contract.ts'

type Cached = Output<'playground.get'>

/** Generations that are fetched again as soon as the fetch in progress has ended. */
const awaited = new Set<string>()

/**
 * An answer that is on its way may be older than the event, and would undo it: it is asked for again. So is what does
 * not join on to what is known (a page that was loaded in between).
 */
function patch(cache: QueryClient, generationId: string, change: (generation: Cached) => Cached | null): void {
  const key = ['playground.get', { generationId }]
  const query = cache.getQueryCache().find<Cached>({ queryKey: key })
  if (query === undefined) return // nobody looks at it
  const { data: before, fetchStatus } = query.state
  const after = before === undefined ? null : change(before)
  if (after !== null) cache.setQueryData<Cached>(key, after)
  const refetch = (): void => {
    awaited.delete(generationId)
    void cache.invalidateQueries({ queryKey: key })
  }
  if (fetchStatus === 'idle' || query.promise === undefined) {
    if (after === null) refetch()
  } else if (!awaited.has(generationId)) {
    awaited.add(generationId)
    query.promise.then(refetch, refetch)
  }
}

export function patchGenerationState(
  cache: QueryClient,
  { generationId, ...state }: EventPayload<'playground.state'>,
): void {
  patch(cache, generationId, (generation) => ({ ...generation, ...state }))
}

/** Adds the new tokens behind those that are known; tokens that came twice count once. */
export function patchGenerationText(
  cache: QueryClient,
  { generationId, row, from, tokens, tokensPerSec }: EventPayload<'playground.text'>,
): void {
  patch(cache, generationId, (generation) => {
    const known = generation.completions[row]
    if (known === undefined || from > known.tokens.length) return null
    const fresh = tokens.slice(known.tokens.length - from)
    const grown = {
      ...known,
      text: known.text + fresh.map((token) => token.text).join(''),
      tokens: [...known.tokens, ...fresh],
    }
    return {
      ...generation,
      tokensPerSec,
      completions: generation.completions.map((one, at) => (at === row ? grown : one)),
    }
  })
}

export function patchGenerationEnd(
  cache: QueryClient,
  { generationId, state, tokensPerSec, error, completions }: EventPayload<'playground.done'>,
): void {
  patch(cache, generationId, (generation) => {
    if (completions.some((one, at) => one.tokenCount !== generation.completions[at]?.tokens.length)) return null
    return {
      ...generation,
      state,
      tokensPerSec,
      error,
      completions: completions.map(({ tokenCount: _, ...one }, at) => ({
        ...one,
        tokens: generation.completions[at]?.tokens ?? [],
      })),
    }
  })
}
