import type { QueryClient } from '@tanstack/react-query'
import type { EventPayload, Output } from '../../shared/contract.ts'

type Cached = Output<'playground.get'>

function patch(cache: QueryClient, generationId: string, change: (generation: Cached) => Cached | null): void {
  const key = ['playground.get', { generationId }]
  const before = cache.getQueryData<Cached>(key)
  const after = before === undefined ? null : change(before)
  // What does not join on to what is known (a page that was loaded in between) is fetched whole.
  if (after === null) void cache.invalidateQueries({ queryKey: key })
  else cache.setQueryData<Cached>(key, after)
}

export function patchGenerationState(cache: QueryClient, { generationId, ...state }: EventPayload<'playground.state'>): void {
  patch(cache, generationId, (generation) => ({ ...generation, ...state }))
}

/** Adds the new tokens behind those that are known; tokens that came twice count once. */
export function patchGenerationText(cache: QueryClient, { generationId, row, from, tokens, tokensPerSec }: EventPayload<'playground.text'>): void {
  patch(cache, generationId, (generation) => {
    const known = generation.completions[row]
    if (known === undefined || from > known.tokens.length) return null
    const fresh = tokens.slice(known.tokens.length - from)
    const grown = { ...known, text: known.text + fresh.map((token) => token.text).join(''), tokens: [...known.tokens, ...fresh] }
    return { ...generation, tokensPerSec, completions: generation.completions.map((one, at) => (at === row ? grown : one)) }
  })
}

export function patchGenerationEnd(cache: QueryClient, { generationId, state, tokensPerSec, error, completions }: EventPayload<'playground.done'>): void {
  patch(cache, generationId, (generation) => {
    if (completions.some((one, at) => one.tokenCount !== generation.completions[at]?.tokens.length)) return null
    return { ...generation, state, tokensPerSec, error, completions: completions.map(({ tokenCount: _, ...one }, at) => ({ ...one, tokens: generation.completions[at]?.tokens ?? [] })) }
  })
}
