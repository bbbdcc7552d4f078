import { hash } from 'node:crypto'
import { toText, type Content, type ItemRecord, type ResponsePair, type SplitName } from '../../../shared/data-kinds.ts'

/** Where a record lies in records.jsonl, and what lists and filters need without reading it. */
export interface ItemEntry {
  readonly index: number
  readonly pairId: string
  readonly line: number
  readonly byteOffset: number
  /** Without the line's end. */
  readonly byteLength: number
  readonly promptHash: string
  readonly aWords: number
  readonly bWords: number
  readonly aEmpty: boolean
  readonly bEmpty: boolean
  readonly title: string
  readonly split: SplitName
}

export const TITLE_LENGTH = 120

/** Pairs of one prompt share this: 64 bits of the sha256 of its text. */
export function hashPrompt(prompt: Content): string {
  return hash('sha256', toText(prompt)).slice(0, 16)
}

/** The index row of a record that was written at `byteOffset`. Its split is `train` until `setSplits`. */
export function indexPair(record: ResponsePair, byteOffset: number, byteLength: number): ItemEntry {
  const a = completionText(record.a)
  const b = completionText(record.b)
  return {
    index: record.index,
    pairId: record.pairId,
    line: record.line,
    byteOffset,
    byteLength,
    promptHash: hashPrompt(record.prompt),
    aWords: countWords(a),
    bWords: countWords(b),
    aEmpty: a.trim() === '',
    bEmpty: b.trim() === '',
    title: titleOf(record.prompt),
    split: 'train',
  }
}

/** The same for an item of another kind: its title and group say what lists and splits need. */
export function indexItem(
  { index, pairId, line, group, title, split }: ItemRecord,
  byteOffset: number,
  byteLength: number,
): ItemEntry {
  return {
    index,
    pairId,
    line,
    byteOffset,
    byteLength,
    promptHash: hashPrompt(group),
    aWords: 0,
    bWords: 0,
    aEmpty: false,
    bEmpty: false,
    title: [...title].slice(0, TITLE_LENGTH).join(''),
    split: split ?? 'train',
  }
}

/** Keeps the place of a record that can no longer be read, so that all others keep theirs. */
export function damagedItem(index: number, byteOffset: number, byteLength: number): ItemEntry {
  const pairId = `damaged-${index}`
  return {
    index,
    pairId,
    line: index + 1,
    byteOffset,
    byteLength,
    promptHash: hashPrompt(pairId),
    aWords: 0,
    bWords: 0,
    aEmpty: true,
    bEmpty: true,
    title: '(this record is damaged)',
    split: 'train',
  }
}

/** What the person reads: without the tags that `toText` puts around turns. */
function completionText(value: Content): string {
  return typeof value === 'string' ? value : value.map((turn) => turn.content).join('\n')
}

/** The first words of the prompt; of a conversation, those of its last user turn. */
export function titleOf(prompt: Content): string {
  const text =
    typeof prompt === 'string'
      ? prompt
      : ((prompt.findLast((turn) => turn.role === 'user') ?? prompt.at(-1))?.content ?? '')
  // Cut before the whitespace is folded: a prompt may be megabytes long.
  return [
    ...text
      .slice(0, TITLE_LENGTH * 4)
      .replace(/\s+/gu, ' ')
      .trim(),
  ]
    .slice(0, TITLE_LENGTH)
    .join('')
}

export function countWords(text: string): number {
  return text.match(/\S+/gu)?.length ?? 0
}
