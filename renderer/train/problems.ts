import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { FormField } from '../../shared/form.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { sayProblem, type RequestProblem } from '../../shared/request-problems.ts'
import { writesSamples } from '../../shared/run-spec.ts'
import { modelFor, relevantFields, textOf, type Draft } from './draft.ts'

/** The rows of MoreRows, which are folded away until somebody asks for them or something is wrong there. */
export const FOLDED_PLACES: readonly string[] = [
  'data.split',
  'data.annotators',
  'data.aggregation',
  'model.tokenizer',
  'model.tiedEmbeddings',
]

/** Parts of the request beside which the form can say something, spelled as the request is nested. */
export function placesOf(draft: Draft, algorithm: AlgorithmInfo, judge: FormField): ReadonlySet<string> {
  const withVariant = (field: FormField, chosen: string): string[] => [
    field.path,
    ...(field.variants.find((one) => one.value === chosen)?.fields ?? []).map((inner) => inner.path),
  ]
  const model = modelFor(algorithm, draft.model)
  return new Set([
    'data',
    'method',
    'model',
    'seeds',
    'engine',
    'threads',
    'name',
    'data.split.seed',
    'data.split.validation',
    'data.split.test',
    ...(KIND_WORDS[algorithm.data].labeled ? ['data.annotators', 'data.aggregation'] : []),
    ...(model.kind === 'new'
      ? ['model.tokenizer', 'model.tiedEmbeddings', ...(model.tokenizer === 'bpe' ? ['model.tokenizer.vocabSize'] : [])]
      : []),
    ...(writesSamples(algorithm) ? withVariant(judge, draft.typed[judge.path] ?? '') : []),
    ...relevantFields(draft, algorithm).flatMap((field) => withVariant(field, textOf(draft, field))),
  ])
}

export interface PlacedProblems {
  /** Place → what is wrong there. */
  readonly beside: Readonly<Record<string, string>>
  /** What belongs to no field that the form shows. */
  readonly other: readonly string[]
}

/** Each problem beside what it names, or beside the nearest part around it that the form shows. */
export function placeProblems(problems: readonly RequestProblem[], places: ReadonlySet<string>): PlacedProblems {
  const beside: Record<string, string> = {}
  const other: string[] = []
  for (const problem of problems) {
    const place = around(problem.path).find((path) => places.has(path))
    if (place === undefined) other.push(sayProblem(problem))
    else beside[place] = beside[place] === undefined ? problem.message : `${beside[place]} ${problem.message}`
  }
  return { beside, other }
}

/** `a.b.c` → `a.b.c`, `a.b`, `a`. */
function around(path: string): string[] {
  const parts = path.split('.')
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('.'))
}

/** Whether something is wrong at a place or within it. */
export function isWrong(beside: PlacedProblems['beside'], place: string): boolean {
  return Object.keys(beside).some((path) => path === place || path.startsWith(`${place}.`))
}
