/** Keys that a person changed, by command; '' switches the single keys off. */
export type KeyChanges = Readonly<Record<string, string>>

/** What one finds in a program with a key held down stays: single keys alone are changed. */
const isChord = (key: string): boolean => /(^|\+)(mod|alt|other)\+/.test(key)

/** The keys of a command as they are now. */
export function applyChange(keys: readonly string[], changed: string | undefined): readonly string[] {
  if (changed === undefined) return keys
  const chords = keys.filter(isChord)
  return changed === '' || chords.includes(changed) ? chords : [changed, ...chords]
}

/** The frame's own keys; `g` begins a pair of keys and can stand for nothing else. */
export const RESERVED: readonly string[] = ['mod+k', 'g', 'tab', 'shift+tab', 'enter', 'esc']

export interface Bound {
  readonly id: string
  readonly title: string
  readonly keys?: readonly string[] | undefined
}

/** Other commands that the same key would start. */
export function conflictsOf(key: string, id: string, all: readonly Bound[]): readonly Bound[] {
  return all.filter((other) => other.id !== id && other.keys?.includes(key) === true)
}
