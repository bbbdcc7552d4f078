import { Option, type Command } from 'commander'
import type { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { fieldsOf, flagName, formatField, parseField, setPath, type FormField } from '../../../shared/form.ts'

type Json = z.infer<ReturnType<typeof z.json>>

/** `micro-batch-size` as commander keeps it: `microBatchSize`. */
function optionKey(field: FormField): string {
  return flagName(field.path).replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
}

/** Every field, the fields of a union's variants behind the union itself. */
function flatten(fields: readonly FormField[]): readonly FormField[] {
  const seen = new Set<string>()
  return fields
    .flatMap((field) => [field, ...field.variants.flatMap((variant) => flatten(variant.fields))])
    .filter((field) => !seen.has(field.path) && seen.add(field.path))
}

function describe(field: FormField): string {
  const unit = field.unit === null ? '' : ` [${field.unit}]`
  const values = field.kind === 'union' ? ` (${field.variants.map((variant) => variant.value).join(', ')})` : ''
  const initial =
    field.default === undefined || typeof field.default === 'object' ? '' : ` (default ${formatField(field.default)})`
  return `${field.symbol === null ? '' : `${field.symbol}: `}${field.help || field.title}${unit}${values}${initial}`
}

/** Adds one flag for each field of the JSON Schema; the form is generated from the same fields. */
export function addSchemaFlags(command: Command, schema: unknown, heading: string): void {
  for (const field of flatten(fieldsOf(schema))) {
    const name = flagName(field.path)
    const option = new Option(
      field.kind === 'boolean' ? `--${name} [yes|no]` : `--${name} <${field.kind === 'list' ? 'a,b' : field.kind}>`,
      describe(field),
    )
    if (field.kind === 'enum') option.choices([...field.options])
    command.addOption(option.helpGroup(heading))
  }
}

/**
 * What was given of the schema's flags, as a config.
 * @throws AppError `usage-invalid` naming the flag
 */
export function readSchemaFlags(schema: unknown, options: Readonly<Record<string, unknown>>): Record<string, Json> {
  let config: Record<string, Json> = {}
  for (const field of flatten(fieldsOf(schema))) {
    const given = options[optionKey(field)]
    if (given === undefined) continue
    const parsed = parseField(field, given === true ? 'yes' : String(given))
    if (!parsed.ok)
      throw new AppError({
        code: 'usage-invalid',
        message: `--${flagName(field.path)}: ${parsed.problem}`,
        hint: 'See --help for the values it takes.',
      })
    config = setPath(config, field.path, parsed.value)
  }
  return config
}
