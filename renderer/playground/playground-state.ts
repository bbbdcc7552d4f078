import { formatModelReference, parseModelReference } from '../../shared/model-reference.ts'
import { z } from 'zod'
import {
  samplingSettings,
  type ChatMessage,
  type Generation,
  type GenerationSource,
  type PlaygroundSources,
  type SamplingSettings,
} from '../../shared/contract/playground.ts'
import { runId, type ModelId } from '../../shared/domain.ts'
import { fieldsOf, formatField, parseField, type FormField } from '../../shared/form.ts'

export type SideName = 'left' | 'right'
export type Mode = 'chat' | 'complete'

/** What is kept with the settings. Numbers as typed: nothing a person wrote is lost by being wrong. */
export type PlaygroundChoices = {
  readonly mode: Mode
  /** `run:<id>@best`, `model:<id>`; '' where none is chosen. */
  readonly left: string
  readonly right: string
  /** One side can be closed. */
  readonly open: 'both' | SideName
  readonly system: string
  readonly template: boolean
  readonly typed: { readonly [path: string]: string }
  /** One a line; \n stands for a line break. */
  readonly stop: string
  /** '' draws one. */
  readonly seed: string
  readonly sameSeed: boolean
  readonly engine: string
  readonly shaded: boolean
}

export const INITIAL_CHOICES: PlaygroundChoices = {
  mode: 'chat',
  left: '',
  right: '',
  open: 'both',
  system: '',
  template: true,
  typed: {},
  stop: '',
  seed: '',
  sameSeed: true,
  engine: 'auto',
  shaded: false,
}

/** Every number of the settings, as a form draws it. */
export const SETTING_FIELDS: readonly FormField[] = fieldsOf(
  z.toJSONSchema(samplingSettings.omit({ stopStrings: true }), { io: 'input' }),
)

export function typedText(choices: PlaygroundChoices, field: FormField): string {
  return choices.typed[field.path] ?? formatField(field.default)
}

/** Path of a setting (or `seed`) → what is wrong with it. */
export function findProblems(choices: PlaygroundChoices): Readonly<Record<string, string>> {
  const problems: Record<string, string> = {}
  for (const field of SETTING_FIELDS) {
    const parsed = parseField(field, typedText(choices, field))
    if (!parsed.ok) problems[field.path] = parsed.problem
  }
  if (readSeed(choices.seed) === undefined)
    problems['seed'] = 'The seed is a whole number up to 4,294,967,295, or empty.'
  return problems
}

/** Null draws one; undefined is no seed. */
export function readSeed(text: string): number | null | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return null
  return /^\d+$/.test(trimmed) && Number(trimmed) < 2 ** 32 ? Number(trimmed) : undefined
}

/** Call it only when nothing is wrong. */
export function readSettings(choices: PlaygroundChoices): SamplingSettings {
  const numbers = Object.fromEntries(
    SETTING_FIELDS.map((field) => {
      const parsed = parseField(field, typedText(choices, field))
      return [field.path, parsed.ok ? parsed.value : undefined]
    }),
  )
  const stopStrings = choices.stop
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replaceAll('\\n', '\n'))
  return samplingSettings.parse({ ...numbers, stopStrings })
}

/** What the address and the picker name. */
export function readSource(text: string): GenerationSource | null {
  const named = parseModelReference(text)
  if (named?.kind === 'run') {
    const id = runId.safeParse(named.run)
    return id.success ? { kind: 'run', runId: id.data, checkpoint: named.checkpoint } : null
  }
  return named?.kind === 'model' ? { kind: 'model', modelId: named.model as ModelId } : null // the host checks it
}

/** The name of a run's best checkpoint, of its last where none is the best. */
export function writerName(run: Pick<PlaygroundSources['runs'][number], 'runId' | 'bestStep'>): string {
  return formatModelReference({ kind: 'run', run: run.runId, checkpoint: run.bestStep === null ? 'last' : 'best' })
}

/** The choice as it is while the source is there, else the first that is. */
export function presentSource(wanted: string, sources: PlaygroundSources, at: number): string {
  const source = readSource(wanted)
  if (source?.kind === 'run' && sources.runs.some((run) => run.runId === source.runId)) return wanted
  if (source?.kind === 'model' && sources.models.some((model) => model.modelId === source.modelId)) return wanted
  const all = [
    ...sources.runs.map(writerName),
    ...sources.models
      .filter((model) => model.problem === null)
      .map(({ modelId }) => formatModelReference({ kind: 'model', model: modelId })),
  ]
  return all[Math.min(at, all.length - 1)] ?? ''
}

/** One question and what each side made of it. */
export interface Turn {
  readonly id: string
  readonly text: string
  readonly left: string | null
  readonly right: string | null
}

/** The turns that a side has seen and answered, as what comes before the next question. */
export function historyOf(
  turns: readonly Turn[],
  side: SideName,
  system: string,
  find: (generationId: string) => Generation | undefined,
): ChatMessage[] {
  const before = turns.flatMap((turn): ChatMessage[] => {
    const generation = turn[side] === null ? undefined : find(turn[side])
    const completion = generation?.completions[0]
    if (completion === undefined || completion.text === '') return []
    // In the layout of tags a line break ends every turn; the next prompt writes it again.
    const content = generation?.layout === 'tags' ? completion.text.replace(/\n$/, '') : completion.text
    return [
      { role: 'user', content: turn.text },
      { role: 'assistant', content },
    ]
  })
  return [...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]), ...before]
}

/** Why a completion ended, in words. */
export function endWords({
  reason,
  stopString,
}: {
  readonly reason: Generation['completions'][number]['reason']
  readonly stopString: string | null
}): string {
  switch (reason) {
    case 'end':
      return 'ended its turn'
    case 'length':
      return 'reached max tokens'
    case 'stop':
      return `stopped at ${JSON.stringify(stopString)}`
    case 'context':
      return 'no place left in the model'
    case 'cancelled':
      return 'stopped'
    case null:
      return ''
  }
}
