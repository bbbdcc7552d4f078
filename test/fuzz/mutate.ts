/** What programs write wrongly, and what readers are most often surprised by. */
const TOKENS = ['{', ']', '"', '\\', '\n', '\t', ',', ':', 'null', '1e999', '-0', '9007199254740993', 'NaN', '\ufeff', '\0', '__proto__', '[]', '{}', '['.repeat(3000), 'x'.repeat(100_000)]

/** One to four changes of a seed: a flipped bit, a cut, a part twice, a strange word in the middle. */
export function mutate(seed: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes: Buffer = Buffer.from(seed)
  for (let left = 1 + below(4); left > 0; left -= 1) {
    const at = below(bytes.length + 1)
    const kind = below(4)
    if (kind === 0 && at < bytes.length) bytes[at] = bytes[at]! ^ (1 << below(8))
    else if (kind === 1) bytes = bytes.subarray(0, at)
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - Math.min(at, below(64))), bytes.subarray(at)])
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(TOKENS[below(TOKENS.length)]!), bytes.subarray(at)])
  }
  return bytes
}
