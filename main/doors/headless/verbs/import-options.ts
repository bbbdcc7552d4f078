import { InvalidArgumentError, type Command } from 'commander'
import { columnRole, type ColumnRole, type LabelAnswer } from '../../../../shared/contract/import-mapping.ts'
import { outcome } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'

/** What a person says about a file on the command line, the same for `import` and `inspect`. */
export interface ReadingOptions {
  readonly map?: readonly string[]
  readonly values?: string
  readonly direction?: string
  readonly scale?: string
}

export function addReadingOptions(command: Command): Command {
  return command
    .option(
      '--map <column=role...>',
      `role of a column: ${columnRole.options.join(', ')}; a dot reaches into objects and lists (info.post, summaries.0.text)`,
    )
    .option('--values <value=meaning,...>', 'what label values mean: a, b, tie, both-bad or skip, e.g. "0=a,1=b,2=tie"')
    .option(
      '--direction <way>',
      'which answer one end of the labels prefers: negative-is-first, negative-is-second, low-is-first, low-is-second',
    )
    .option(
      '--scale <low..high>',
      'the ends of a scale of labels, with a tie in the middle, e.g. 1..7; with --texts: between which numbers scores run, as in 0..5',
    )
}

/** @throws InvalidArgumentError for what is no number */
export function readNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a number.')
  return value
}

/** @throws AppError `usage-invalid` for an option that is not understood */
export function readReadingOptions(options: ReadingOptions): {
  readonly roles: Record<string, ColumnRole>
  readonly labels: LabelAnswer | null
} {
  const { values, direction, scale } = options
  const said = values !== undefined || direction !== undefined || scale !== undefined
  return {
    roles: Object.fromEntries((options.map ?? []).map(readRole)),
    labels: said
      ? {
          values: values === undefined ? {} : readValues(values),
          lowIs: direction === undefined ? null : readDirection(direction),
          scale: scale === undefined ? null : readScale(scale),
        }
      : null,
  }
}

function readRole(text: string): [string, ColumnRole] {
  const at = text.lastIndexOf('=')
  if (at <= 0)
    throw new AppError({
      code: 'usage-invalid',
      message: `--map ${text} is not column=role.`,
      hint: 'For example: --map question=prompt.',
    })
  const role = columnRole.safeParse(text.slice(at + 1))
  if (!role.success)
    throw new AppError({
      code: 'usage-invalid',
      message: `--map ${text}: "${text.slice(at + 1)}" is no role.`,
      hint: `Roles are ${columnRole.options.join(', ')}.`,
    })
  return [text.slice(0, at), role.data]
}

/** `0=a,1=b`; a value may hold a comma or an equals sign, since only the last `=` before a meaning counts. */
function readValues(text: string): LabelAnswer['values'] {
  const entries: [string, LabelAnswer['values'][string]][] = []
  let rest = text
  while (rest.trim() !== '') {
    const found = new RegExp(`^(.*?)=\\s*(${outcome.options.join('|')})\\s*(?:,|$)`, 's').exec(rest)
    if (found === null)
      throw new AppError({
        code: 'usage-invalid',
        message: `--values "${text}": "${rest.trim().slice(0, 60)}" is not value=meaning.`,
        hint: `Meanings are ${outcome.options.join(', ')}; for example --values "0=a,1=b,2=tie".`,
      })
    entries.push([(found[1] ?? '').trim(), outcome.parse(found[2])])
    rest = rest.slice(found[0].length)
  }
  if (entries.length === 0)
    throw new AppError({
      code: 'usage-invalid',
      message: '--values is empty.',
      hint: 'For example: --values "0=a,1=b,2=tie".',
    })
  const seen = new Map<string, string>()
  for (const [value, meaning] of entries) {
    if ((seen.get(value) ?? meaning) !== meaning)
      throw new AppError({
        code: 'usage-invalid',
        message: `--values gives "${value}" two meanings: ${seen.get(value) ?? ''} and ${meaning}.`,
        hint: 'Give each value once.',
      })
    seen.set(value, meaning)
  }
  return Object.fromEntries(entries)
}

function readDirection(text: string): 'first' | 'second' {
  const found = /^(?:negative|low)-is-(first|second)$/.exec(text)
  if (found !== null) return found[1] === 'first' ? 'first' : 'second'
  throw new AppError({
    code: 'usage-invalid',
    message: `--direction ${text} is not understood.`,
    hint: 'Say negative-is-first, negative-is-second, low-is-first or low-is-second.',
  })
}

function readScale(text: string): { low: number; high: number } {
  const found = /^\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|…|to)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text)
  const [low, high] = [Number(found?.[1]), Number(found?.[2])]
  if (found !== null && low < high) return { low, high }
  throw new AppError({
    code: 'usage-invalid',
    message: `--scale ${text} is not understood.`,
    hint: 'Give the lowest and the highest number, e.g. --scale 1..7 or --scale -3..3.',
  })
}
