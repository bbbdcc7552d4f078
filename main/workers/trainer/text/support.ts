import type { EncodedRowPair } from '../../../core/learn/tokens/encode-rows.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { sampleCompletions } from '../../../core/learn/sampling/sample.ts'
import type { Language } from '../../../core/learn/tokens/language.ts'
import { promptRoom } from '../../../core/learn/tokens/text-format.ts'
import type { Reference } from './reference.ts'
import type { RunContext } from '../run-context.ts'

/** Completions the reference writes to be looked for in the data. */
const PROMPTS = 48
/** Past this share of the reference's completions the data's silence is worth a warning. */
const WARN_SHARE = 0.2

export interface Support {
  /** Share of the reference's completions that begin with a token with which no logged completion begins. */
  readonly unseenStarts: number
  /** Share of the tokens it writes that no logged completion holds. */
  readonly unseenTokens: number
}

/** What logged completions say nothing about, of what the reference writes. */
export function supportOf(written: readonly (readonly number[])[], logged: readonly (readonly number[])[]): Support {
  const starts = new Set(logged.map((ids) => ids[0]))
  const tokens = new Set(logged.flat())
  const all = written.flat()
  return {
    unseenStarts: written.filter((ids) => !starts.has(ids[0])).length / Math.max(1, written.length),
    unseenTokens: all.filter((id) => !tokens.has(id)).length / Math.max(1, all.length),
  }
}

/**
 * Off-policy learning finds the optimum only among completions that the data shows (Theorem 1 of arXiv 2406.19185
 * asks for full support): where the reference would write what no logged completion has, the result is arbitrary.
 * Warns, and records both shares as facts.
 */
export async function checkSupport(
  context: RunContext,
  reference: Reference,
  pairs: readonly EncodedRowPair[],
  { tokenizer, format }: Language,
): Promise<Support> {
  const { maxLength, sampleTokens } = context.spec.training
  const asked = new Map(pairs.map((pair) => [pair.promptText, pair.contents.prompt] as const))
  const room = promptRoom(format, maxLength, sampleTokens)
  const prompts = [...asked.values()].slice(0, PROMPTS).map((prompt) => format.prompt(prompt, room))
  const random = createRandom(context.spec.seed).fork('support')
  const written = await reference.useFirst((policy) =>
    sampleCompletions(
      policy,
      prompts,
      (row) => random.fork(String(row)),
      { maxTokens: sampleTokens, temperature: 1, endId: tokenizer.endId, stopIds: tokenizer.stopIds },
      () => context.breatheOrStop(),
    ),
  )
  const support = supportOf(
    written.map((one) => one.ids),
    pairs.flatMap((pair) => [pair.chosen.completion, pair.rejected.completion]),
  )
  context.emit({ type: 'fact', facts: { unseenStarts: support.unseenStarts, unseenTokens: support.unseenTokens } })
  const worst = Math.max(support.unseenStarts, support.unseenTokens)
  if (worst > WARN_SHARE) {
    const what =
      support.unseenStarts >= support.unseenTokens
        ? `${percent(support.unseenStarts)} of what the reference writes begins as no logged completion does`
        : `${percent(support.unseenTokens)} of the tokens that the reference writes occur in no logged completion`
    context.warn(
      `The data does not cover the reference: ${what}. What the policy does there is left to chance.`,
      'Add completions of the reference itself to the data, start from a model that was fine-tuned on it, or let the policy write (samples: online).',
    )
  }
  return support
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}
