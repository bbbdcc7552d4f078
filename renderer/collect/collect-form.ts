// The form of a collection: the fields of the one schema, what was typed in them, and what that comes to.
import { z } from 'zod'
import { collectRequest, collectSettings, type CollectRequest } from '../../shared/collecting.ts'
import { fieldsOf, formatField, parseField, type FormField } from '../../shared/form.ts'
import { matters } from '../../shared/form-use.ts'

const SCHEMA_FIELDS = fieldsOf(z.toJSONSchema(collectSettings, { io: 'input' }))

/** By path; what is not in it stands at its default. */
export type Typed = Readonly<Record<string, string>>

export function textOf(typed: Typed, field: FormField): string {
  return typed[field.path] ?? formatField(field.default)
}

/** All but the world, which is chosen apart; only those that count for what was chosen. */
export function shownFields(typed: Typed): readonly FormField[] {
  const textAt = (path: string): string | undefined => {
    const field = SCHEMA_FIELDS.find((one) => one.path === path)
    return field === undefined ? undefined : textOf(typed, field)
  }
  const use = { data: 'segment-pairs', model: 'networks', reference: false }
  return SCHEMA_FIELDS.filter((field) => field.path !== 'world' && matters(field, use, textAt))
}

export interface CollectDraft {
  /** Null while something is wrong. */
  readonly request: CollectRequest | null
  /** By path, in words. */
  readonly problems: Typed
}

/** @param name as typed; empty takes the world and who judges */
export function draftOf(world: string, typed: Typed, name: string): CollectDraft {
  const problems: Record<string, string> = {}
  const values: Record<string, unknown> = { world }
  for (const field of shownFields(typed)) {
    const parsed = parseField(field, textOf(typed, field))
    if (parsed.ok) values[field.path] = parsed.value
    else problems[field.path] = parsed.problem
  }
  if (values['behaviour'] === 'learned' && values['runId'] === null) problems['runId'] = 'Choose a run.'
  const label = String(values['label'] ?? '')
  values['name'] = name.trim() === '' ? `${world}, ${label === 'none' ? 'to be judged' : `by ${label}`}` : name.trim()
  if (Object.keys(problems).length > 0) return { request: null, problems }
  const whole = collectRequest.safeParse(values)
  if (whole.success) return { request: whole.data, problems }
  for (const issue of whole.error.issues) problems[String(issue.path[0] ?? 'world')] = issue.message
  return { request: null, problems }
}
