import type { Content } from '../../shared/data-kinds.ts'
import type { LabelItem } from '../../shared/contract/labels.ts'
import { alignLines, type Alignment, type Line } from './align.ts'

/** The lines of a text; each turn of a conversation names its role on its first. */
export function toLines(content: Content): readonly Line[] {
  if (typeof content === 'string') return content.split(/\r\n|\r|\n/).map((text) => ({ text, role: null }))
  return content.flatMap((turn) =>
    turn.content.split(/\r\n|\r|\n/).map((text, at) => ({ text, role: at === 0 ? turn.role : null })),
  )
}

export function isEmpty(content: Content): boolean {
  return typeof content === 'string' ? content.trim() === '' : content.every((turn) => turn.content.trim() === '')
}

export function countWords(content: Content): number {
  const text = typeof content === 'string' ? content : content.map((turn) => turn.content).join(' ')
  return text.split(/\s+/).filter((word) => word !== '').length
}

/** Two answers to be compared. */
export type ComparedItem = LabelItem & { readonly b: Content }

export function isCompared(item: LabelItem): item is ComparedItem {
  return item.b !== null
}

/** The two sides as they stand on the screen. */
export function sidesOf(item: ComparedItem): { readonly left: Content; readonly right: Content } {
  return item.shownOrder === 'ab' ? { left: item.a, right: item.b } : { left: item.b, right: item.a }
}

const prepared = new WeakMap<LabelItem, Alignment>()

/** Aligns a pair once; called ahead of time for pairs in hand. */
export function alignItem(item: ComparedItem): Alignment {
  const known = prepared.get(item)
  if (known !== undefined) return known
  const { left, right } = sidesOf(item)
  const alignment = alignLines(toLines(left), toLines(right))
  prepared.set(item, alignment)
  return alignment
}
