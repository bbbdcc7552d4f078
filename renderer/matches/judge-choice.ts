import type { Judge } from '../../shared/contract/matches.ts'
import type { GenerationSource } from '../../shared/contract/playground.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'

/** What is chosen in the form: `run:<id>` of a reward model, or the name of another kind. */
export interface JudgeChoice {
  readonly kind: string
  /** As typed: a length, words, a pattern. */
  readonly text: string
  /** Who is asked, as the Playground names what writes. */
  readonly asked: string
}

export const RULES = [
  { kind: 'length', label: 'A length in characters', placeholder: '200' },
  { kind: 'keyword', label: 'Words', placeholder: 'thanks, please' },
  { kind: 'regex', label: 'A pattern', placeholder: '^Yes' },
] as const

/** Null while something is missing. @param readSource what writes, by its name */
export function judgeOf(
  { kind, text, asked }: JudgeChoice,
  readSource: (name: string) => GenerationSource | null,
): Judge | null {
  const typed = text.trim()
  if (kind === 'people') return { kind }
  if (kind === 'ask') {
    const source = readSource(asked)
    return source === null ? null : { kind: 'model', source }
  }
  if (kind === 'length') return Number(typed) > 0 ? { kind, target: Number(typed) } : null
  if (kind === 'keyword') {
    const words = typed.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]))
    return words.length === 0 ? null : { kind, words }
  }
  if (kind === 'regex') return typed === '' ? null : { kind, pattern: typed }
  return kind.startsWith('run:') ? { kind: 'reward-model', runId: kind.slice(4) as never } : null // of the list
}

/** Reward models that could judge, those of the same data first. */
export function rewardModels(runs: readonly RunSummary[], datasetIds: ReadonlySet<string>): readonly RunSummary[] {
  return runs
    .filter((run) => run.method === 'reward-model' && run.state === 'finished')
    .toSorted((one, two) => Number(datasetIds.has(two.datasetId)) - Number(datasetIds.has(one.datasetId)))
}
