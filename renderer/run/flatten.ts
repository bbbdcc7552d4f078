/** A nested value as lines of [dotted path, text], in the order of its keys. An empty list or object is one line. */
export function flatten(value: unknown, path = ''): (readonly [string, string])[] {
  if (Array.isArray(value))
    return [
      [path, value.every((item) => typeof item !== 'object') ? value.join(', ') || 'none' : JSON.stringify(value)],
    ]
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return [[path, 'none']]
    return entries.flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
  }
  return [[path, value === null ? 'none' : String(value)]]
}
