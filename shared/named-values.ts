import { z } from 'zod'

/**
 * Values by names that a file or a person chose. `__proto__` and `constructor` are names like any other: zod's own
 * record leaves the first out, and on a plain object a name that is not there finds what every object inherits. The
 * result inherits nothing.
 */
export function namedValues<T extends z.ZodType>(
  value: T,
): z.ZodType<Record<string, z.output<T>>, Record<string, z.input<T>>> {
  const named = z
    .custom<Record<string, unknown>>(
      (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
      'expected values by name',
    )
    .transform((given, context) => {
      const entries = Object.entries(given).map(([name, one]) => {
        const parsed = value.safeParse(one)
        if (parsed.success) return [name, parsed.data] as const
        for (const { path, message } of parsed.error.issues)
          context.addIssue({ code: 'custom', path: [name, ...path], message })
        return [name, undefined] as const
      })
      return Object.setPrototypeOf(Object.fromEntries(entries), null) as Record<string, z.output<T>>
    })
  return named as unknown as z.ZodType<Record<string, z.output<T>>, Record<string, z.input<T>>> // each value went through its schema
}

/** An empty table by such names, with nothing inherited in it. */
export function byName<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T> // there is nothing in it yet
}
