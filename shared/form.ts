import type { z } from 'zod'

type Json = z.infer<ReturnType<typeof z.json>>
type JsonObject = { readonly [key: string]: Json }

/** One setting, as a form draws it, a flag names it and the help explains it. */
export interface FormField {
  /** Key within the config; dots inside a union's variant: `reward.target`. */
  readonly path: string
  readonly title: string
  readonly symbol: string | null
  /** One plain sentence, '' when the schema has none. */
  readonly help: string
  readonly unit: string | null
  readonly group: 'main' | 'expert'
  readonly kind: 'number' | 'integer' | 'boolean' | 'text' | 'enum' | 'list' | 'union'
  readonly nullable: boolean
  readonly default: Json | undefined
  readonly min: number | null
  readonly max: number | null
  /** The bound itself is not allowed: `> 0`, not `≥ 0`. */
  readonly minExclusive: boolean
  readonly maxExclusive: boolean
  /** Values of an enum. */
  readonly options: readonly string[]
  /** Key that tells the variants of a union apart. */
  readonly discriminator: string | null
  readonly variants: readonly FormVariant[]
  /** Another field beside this one, and its values for which this one matters; null: it always does. */
  readonly when: { readonly path: string; readonly values: readonly string[] } | null
  /** Another field, and its values for which this one does not matter. */
  readonly unless: { readonly path: string; readonly values: readonly string[] } | null
  /** Only methods that compare with a reference policy read it. */
  readonly reference: boolean
  /** Kinds of data whose methods read it; null: all of them. */
  readonly data: readonly string[] | null
  /** Kinds of model to start from that read it; null: all of them. */
  readonly models: readonly string[] | null
}

export interface FormVariant {
  readonly value: string
  readonly title: string
  readonly help: string
  readonly fields: readonly FormField[]
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function number(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** "keepCheckpoints" → "Keep checkpoints": the title of a field whose schema gives none. */
function titleOf(key: string): string {
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The alternatives of a schema, null taken out. A union that may be null is a choice between null and a choice. */
function alternatives(schema: JsonObject): { readonly schemas: readonly JsonObject[]; readonly nullable: boolean } {
  const { type } = schema
  const orNull = Array.isArray(type) && type.includes('null')
  const listed = schema['anyOf'] ?? schema['oneOf']
  if (!Array.isArray(listed)) return { schemas: [], nullable: orNull }
  const schemas = listed.filter(isObject)
  const rest = schemas.filter((one) => one['type'] !== 'null')
  const nullable = orNull || rest.length < schemas.length
  const [only] = rest
  const inner = rest.length === 1 && only !== undefined ? alternatives(only) : { schemas: [], nullable: false }
  return inner.schemas.length > 0
    ? { schemas: inner.schemas, nullable: nullable || inner.nullable }
    : { schemas: rest, nullable }
}

/** The property that is a different constant in each alternative. */
function discriminatorOf(schemas: readonly JsonObject[]): string | null {
  const [first] = schemas
  const properties = first?.['properties']
  if (schemas.length < 2 || !isObject(properties)) return null
  return (
    Object.keys(properties).find((key) =>
      schemas.every((schema) => {
        const own = schema['properties']
        return isObject(own) && isObject(own[key]) && own[key]['const'] !== undefined
      }),
    ) ?? null
  )
}

function variantsOf(path: string, schemas: readonly JsonObject[], discriminator: string): readonly FormVariant[] {
  return schemas.map((schema) => {
    const properties = schema['properties']
    const own = isObject(properties) ? properties[discriminator] : undefined
    const value = isObject(own) ? String(own['const']) : ''
    return {
      value,
      title: text(schema['title']) ?? titleOf(value),
      help: text(schema['help']) ?? text(schema['description']) ?? '',
      fields: fieldsOf(schema, path).filter((field) => field.path !== `${path}.${discriminator}`),
    }
  })
}

function kindOf(schema: JsonObject): FormField['kind'] {
  if (Array.isArray(schema['enum'])) return 'enum'
  const { type } = schema
  switch (Array.isArray(type) ? type.find((one) => one !== 'null') : type) {
    case 'integer':
      return 'integer'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'array':
      return 'list'
    default:
      return 'text'
  }
}

/** Numbers outside ±2⁵³ are how JSON Schema writes "any integer": no bound worth showing. */
function bound(value: number | null): number | null {
  return value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? null : value
}

/** `when: { adapt: ['lora'] }` in a schema's meta, and `unless`. */
function whenOf(path: string, value: Json | undefined): FormField['when'] {
  const [entry] = isObject(value) ? Object.entries(value) : []
  if (entry === undefined) return null
  const prefix = path.slice(0, path.lastIndexOf('.') + 1)
  return { path: `${prefix}${entry[0]}`, values: Array.isArray(entry[1]) ? entry[1].map(String) : [String(entry[1])] }
}

/** `data: ['rankings']` in a schema's meta. */
function listOf(value: Json | undefined): readonly string[] | null {
  return Array.isArray(value) ? value.map(String) : null
}

function fieldOf(path: string, key: string, outer: JsonObject): FormField {
  const { schemas, nullable } = alternatives(outer)
  const discriminator = discriminatorOf(schemas)
  // A nullable field is a choice between itself and null; what it says of itself may stand on either level.
  const schema: JsonObject = schemas.length === 1 && schemas[0] !== undefined ? { ...schemas[0], ...outer } : outer
  return {
    path,
    title: text(schema['title']) ?? titleOf(key),
    symbol: text(schema['symbol']),
    help: text(schema['help']) ?? text(schema['description']) ?? '',
    unit: text(schema['unit']),
    group: schema['group'] === 'expert' ? 'expert' : 'main',
    kind: discriminator === null ? kindOf(schema) : 'union',
    nullable,
    default: schema['default'],
    min: bound(number(schema['minimum']) ?? number(schema['exclusiveMinimum'])),
    max: bound(number(schema['maximum']) ?? number(schema['exclusiveMaximum'])),
    minExclusive: number(schema['exclusiveMinimum']) !== null,
    maxExclusive: number(schema['exclusiveMaximum']) !== null,
    options: Array.isArray(schema['enum']) ? schema['enum'].map(String) : [],
    discriminator,
    variants: discriminator === null ? [] : variantsOf(path, schemas, discriminator),
    when: whenOf(path, schema['when']),
    unless: whenOf(path, schema['unless']),
    reference: schema['reference'] === true,
    data: listOf(schema['data']),
    models: listOf(schema['models']),
  }
}

/**
 * The fields of an object's JSON Schema (from z.toJSONSchema with `io: 'input'`), in the order of the schema.
 * @param prefix path of the object within the config
 */
export function fieldsOf(schema: unknown, prefix = ''): readonly FormField[] {
  const object = schema as Json // a JSON Schema is JSON
  if (!isObject(object) || !isObject(object['properties'])) return []
  return Object.entries(object['properties']).flatMap(([key, value]) =>
    isObject(value) ? [fieldOf(prefix === '' ? key : `${prefix}.${key}`, key, value)] : [],
  )
}

/** `microBatchSize` → `micro-batch-size`; `reward.target` → `reward-target`. */
export function flagName(path: string): string {
  return path
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('.', '-')
    .toLowerCase()
}

export type ParsedValue = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly problem: string }

/** What was typed, as the value of a field. Lists are separated by commas. The schema still has the last word. */
export function parseField(field: FormField, typed: string): ParsedValue {
  const trimmed = typed.trim()
  if (field.nullable && (trimmed === '' || trimmed === 'none')) return { ok: true, value: null }
  switch (field.kind) {
    case 'integer':
    case 'number': {
      const value = trimmed === '' ? Number.NaN : Number(trimmed.replace('−', '-'))
      if (!Number.isFinite(value)) return { ok: false, problem: `${field.title} must be a number, not “${typed}”.` }
      if (field.kind === 'integer' && !Number.isInteger(value))
        return { ok: false, problem: `${field.title} must be a whole number.` }
      if (field.minExclusive && field.min !== null && value <= field.min)
        return { ok: false, problem: `${field.title} must be more than ${field.min}.` }
      if (field.maxExclusive && field.max !== null && value >= field.max)
        return { ok: false, problem: `${field.title} must be less than ${field.max}.` }
      if (field.min !== null && value < field.min)
        return { ok: false, problem: `${field.title} must be at least ${field.min}.` }
      if (field.max !== null && value > field.max)
        return { ok: false, problem: `${field.title} must be at most ${field.max}.` }
      return { ok: true, value }
    }
    case 'boolean':
      if (['true', 'yes', 'on', '1', ''].includes(trimmed)) return { ok: true, value: true }
      if (['false', 'no', 'off', '0'].includes(trimmed)) return { ok: true, value: false }
      return { ok: false, problem: `${field.title} is yes or no, not “${typed}”.` }
    case 'enum':
      return field.options.includes(trimmed)
        ? { ok: true, value: trimmed }
        : { ok: false, problem: `${field.title} is one of ${field.options.join(', ')}.` }
    case 'list':
      return {
        ok: true,
        value: trimmed
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      }
    case 'union':
      return field.variants.some((variant) => variant.value === trimmed)
        ? { ok: true, value: { [field.discriminator ?? 'kind']: trimmed } }
        : {
            ok: false,
            problem: `${field.title} is one of ${field.variants.map((variant) => variant.value).join(', ')}.`,
          }
    case 'text':
      return { ok: true, value: typed }
  }
}

/** A value as the form shows it: 1e-6 stays short, lists are joined. */
export function formatField(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value)
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Sets `reward.target` inside nested objects; a copy. */
export function setPath(config: Readonly<Record<string, Json>>, path: string, value: Json): Record<string, Json> {
  const [head = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...config, [head]: value }
  const inner = config[head]
  return { ...config, [head]: setPath(isObject(inner) ? inner : {}, rest.join('.'), value) }
}

export function getPath(config: Readonly<Record<string, unknown>>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined,
      config,
    )
}

/** `1-3,7` or `1 2 3` → [1, 2, 3, 7]; null when it is not a list of seeds. */
export function parseSeeds(typed: string): readonly number[] | null {
  const seeds: number[] = []
  for (const part of typed.split(/[\s,]+/).filter((piece) => piece !== '')) {
    const range = /^(\d+)(?:[-–](\d+))?$/.exec(part)
    if (range === null) return null
    const first = Number(range[1])
    const last = Number(range[2] ?? range[1])
    if (last < first || last - first > 99) return null
    for (let seed = first; seed <= last; seed++) if (!seeds.includes(seed)) seeds.push(seed)
  }
  return seeds.length === 0 ? null : seeds
}
