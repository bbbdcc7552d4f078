/**
 * Keys as text: `k`, `?`, `mod+k`, `mod+shift+z`, `space`, `g r` (one after the other). `mod` is Ctrl, on a Mac the
 * Command key. Characters are compared as typed, so that `?` needs no layout table.
 */
export const isMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)

export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

const NAMED: Readonly<Record<string, string>> = {
  ' ': 'space',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Escape: 'esc',
}

/** A key press as the same text that bindings are written in. */
export function describePress(press: KeyPress, mac = isMac): string {
  const mod = mac ? press.metaKey : press.ctrlKey
  const other = mac ? press.ctrlKey : press.metaKey
  const key = NAMED[press.key] ?? press.key.toLowerCase()
  // Shift is part of the character itself (`?`), so it is named only where the key has no other form.
  const shift = press.shiftKey && (mod || key.length > 1 || /[a-z]/.test(key))
  return [mod ? 'mod' : '', other ? 'other' : '', press.altKey ? 'alt' : '', shift ? 'shift' : '', key]
    .filter((part) => part !== '')
    .join('+')
}

const SHOWN: Readonly<Record<string, string>> = {
  alt: 'Alt',
  shift: 'Shift',
  space: 'Space',
  left: '←',
  right: '→',
  up: '↑',
  down: '↓',
  esc: 'Esc',
  enter: 'Enter',
  home: 'Home',
  end: 'End',
  delete: 'Del',
}

/** The caps to draw for a binding: `mod+k` → Ctrl, K. */
export function showKey(binding: string, mac = isMac): readonly string[] {
  return binding
    .split(' ')
    .flatMap((chord) => (chord === '+' ? ['+'] : chord.split('+')))
    .map((part) =>
      part === 'mod' ? (mac ? '⌘' : 'Ctrl') : (SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)),
    )
}

/** A key never fires while someone writes, chooses in a list, or answers a dialog. */
export function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false
  if (
    target.closest(
      'input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable="true"]',
    ) !== null
  )
    return true
  return document.querySelector('dialog:modal') !== null
}
