// Text of strangers on a terminal: what would steer it is shown and never sent.

/** Steer a terminal, or turn the order of what is shown: C0 but tab and line feed, DEL, C1; bidirectional embeddings, overrides and isolates; separators of lines. */
const STEERING = /(?![\t\n])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/gu
const DELETE = 0x7f
const PICTURES = 0x2400

/** ␛ for an escape, as every control of ASCII has its picture; \u202e for one that has none. */
function picture(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(PICTURES + code)
  return code === DELETE ? '\u2421' : escaped(character)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Of several lines, which stay lines; a carriage return before a line feed is part of it. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(STEERING, picture)
}

/** Of one line, which stays one: a name cannot pretend to be a row of its own. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\u240a').replaceAll('\t', '\u2409')
}

/** JSON says the same with escapes; what of it JSON.stringify leaves as it is stands within strings alone. */
export function printableJson(json: string): string {
  return json.replace(STEERING, escaped)
}
