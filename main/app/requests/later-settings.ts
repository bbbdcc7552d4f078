// Settings that came after runs were made without them: `asBefore` in their meta is the value at which a run is as those were.
import { z } from 'zod'
import type { RunSpec } from '../../../shared/run-spec.ts'
import { algorithms } from '../../core/learn/registry.ts'

export type Json = z.infer<ReturnType<typeof z.json>>

/** Of an object's schema, by name. */
export function laterSettings(schema: z.ZodType): Readonly<Record<string, Json>> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' })
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) =>
      typeof field === 'object' && 'asBefore' in field ? [[name, field['asBefore'] as Json] as const] : [],
    ),
  )
}

const ofMethods = new Map<string, Readonly<Record<string, Json>>>() // methods do not change while the app runs

/** Of a method's own settings; none for a method that there is no more. */
function laterSettingsOf(method: string): Readonly<Record<string, Json>> {
  const known = ofMethods.get(method)
  if (known !== undefined) return known
  const page = algorithms.find(({ id }) => id === method)
  const found = page === undefined ? {} : laterSettings(page.config)
  ofMethods.set(method, found)
  return found
}

/** A setting left at the value of before tells nobody apart from the runs that were made before it came. */
export function withoutNeutral(
  values: Readonly<Record<string, unknown>>,
  later: Readonly<Record<string, Json>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => !(name in later) || JSON.stringify(later[name]) !== JSON.stringify(value),
    ),
  )
}

/** Beside runs from before a setting came, which do not have it, one that leaves it as it was is no other for it. */
export function asBefore(spec: RunSpec): RunSpec {
  return { ...spec, config: withoutNeutral(spec.config, laterSettingsOf(spec.method)) as RunSpec['config'] } // fewer of the same
}
