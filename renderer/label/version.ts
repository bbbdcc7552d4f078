/** A short name for a text: FNV-1a of its characters, four hexadecimal digits. Equal texts have equal names. */
export function contentVersion(text: string): string {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return ((value >>> 16) ^ (value & 0xffff)).toString(16).padStart(4, '0')
}
