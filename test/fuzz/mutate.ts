/** What programs write wrongly, and what readers are most often surprised by. */
const TOKENS = [
  '{',
  ']',
  '"',
  '\\',
  '\n',
  '\t',
  ',',
  ':',
  'null',
  '1e999',
  '-0',
  '9007199254740993',
  '500000000',
  'NaN',
  '\ufeff',
  '\0',
  '__proto__',
  '[]',
  '{}',
  '['.repeat(3000),
  'x'.repeat(100_000),
]

/** In place of a value of a call. */
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\0',
  '\ud800',
  'x'.repeat(100_000),
  '__proto__',
  '../../../etc/hostname',
  '/dev/zero',
  '/proc/self/mem',
  [],
  {},
  [[[[[[[[]]]]]]]],
  Array.from({ length: 5000 }, (_none, at) => at),
  { __proto__: 1, constructor: 2 },
]

/** One to four changes of a seed: a flipped bit, a cut, a part twice, a strange word in the middle. */
export function mutate(seed: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes: Buffer = Buffer.from(seed)
  for (let left = 1 + below(4); left > 0; left -= 1) {
    const at = below(bytes.length + 1)
    const kind = below(4)
    if (kind === 0 && at < bytes.length) bytes[at] = bytes[at]! ^ (1 << below(8))
    else if (kind === 1) bytes = bytes.subarray(0, at)
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - Math.min(at, below(64))), bytes.subarray(at)])
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(TOKENS[below(TOKENS.length)]!), bytes.subarray(at)])
  }
  return bytes
}

/** The same for values: one to three places of a JSON document hold something else, or are gone, or are there too much. */
export function mutateJson(seed: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let value: unknown = JSON.parse(seed.toString('utf8'))
  for (let left = Math.max(1, below(5) - 1); left > 0; left -= 1) value = change(value, below)
  return Buffer.from(JSON.stringify(value))
}

function change(value: unknown, below: (limit: number) => number): unknown {
  // Half of the time of the same type: what no schema refuses goes further in.
  const pick = (values: readonly unknown[]): unknown => values[below(values.length)]
  const alike = VALUES.filter((one) => typeof one === typeof value)
  const odd = (): unknown => pick(VALUES)
  if (typeof value !== 'object' || value === null) return alike.length > 0 && below(2) === 0 ? pick(alike) : odd()
  const keys = Object.keys(value)
  const key = keys[below(keys.length)]
  const dice = below(10)
  if (dice === 0 || key === undefined)
    return Array.isArray(value)
      ? [...(value as unknown[]), odd()]
      : Object.fromEntries([...Object.entries(value), [['__proto__', 'constructor', 'more', ''][below(4)]!, odd()]])
  const changed = Object.entries(value).flatMap(([name, inner]) =>
    name !== key
      ? [[name, inner] as const]
      : dice === 1
        ? []
        : [[name, dice < 4 ? odd() : change(inner, below)] as const],
  )
  return Array.isArray(value) ? changed.map(([, inner]) => inner) : Object.fromEntries(changed)
}
