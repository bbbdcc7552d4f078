import type { QuestionOf } from '../../base/processes/worker-questions.ts'
import { toText, type Content, type PreferenceRow } from '../../../shared/data-kinds.ts'
import { readViewFile, type RowsBySide } from '../trainer/text/view-file.ts'

export interface MatchPrompt {
  readonly text: string
  readonly content: Content
  /** Answers of the data, where one of its pairs was labeled. */
  readonly chosen: Content | null
  readonly rejected: Content | null
}

export type LabeledPair = PreferenceRow & { readonly preferenceA: number }

export interface MatchPrompts {
  /** Those that are answered, in the order of the data. */
  readonly prompts: readonly MatchPrompt[]
  /** How many there are that could be. */
  readonly available: number
  /** Pairs of the side whose label is no tie. */
  readonly labeled: readonly LabeledPair[]
}

/** Each prompt of the side once; where a player is an answer of the data, those that have one. */
export function promptsOf(
  sides: RowsBySide,
  { side, prompts: wanted, players }: Pick<QuestionOf<'match'>, 'side' | 'prompts' | 'players'>,
): MatchPrompts {
  const { pairs, answers } = sides[side]
  const labeled = pairs.filter((row): row is LabeledPair => row.preferenceA !== null && row.preferenceA !== 0.5)
  const byText = new Map<string, MatchPrompt>()
  for (const row of [...labeled, ...pairs, ...answers]) {
    const text = toText(row.prompt)
    if (byText.has(text)) continue
    const label = 'preferenceA' in row && row.preferenceA !== null && row.preferenceA !== 0.5 ? row : null
    const [chosen, rejected] =
      label === null ? [null, null] : label.preferenceA! > 0.5 ? [label.a, label.b] : [label.b, label.a]
    byText.set(text, { text, content: row.prompt, chosen, rejected })
  }
  // In the order in which the data have them.
  const order = new Set([...pairs, ...answers].map((row) => toText(row.prompt)))
  const usable = [...order]
    .map((text) => byText.get(text)!) // from the same rows
    .filter((prompt) => players.every((player) => player.kind !== 'data' || prompt[player.answers] !== null))
  return { prompts: usable.slice(0, wanted), available: usable.length, labeled }
}

/** Prompts that a run was trained on, as text. */
export async function trainedPrompts(view: {
  readonly path: string
  readonly hash: string
}): Promise<ReadonlySet<string>> {
  const { train } = await readViewFile(view.path, view.hash)
  return new Set([...train.pairs, ...train.answers].map((row) => toText(row.prompt)))
}
