import { diffArrays, diffWordsWithSpace } from 'diff'

/** A piece of a line; `changed` pieces stand on one side only. */
export interface Piece {
  readonly text: string
  readonly changed: boolean
}

export interface Cell {
  readonly pieces: readonly Piece[]
  /** The turn of a conversation that begins here. */
  readonly role: string | null
  /** The whole line has no partner on the other side. */
  readonly alone: boolean
}

/** Two lines that stand beside each other; null is a gap. */
export interface AlignedRow {
  readonly left: Cell | null
  readonly right: Cell | null
}

export interface Line {
  readonly text: string
  readonly role: string | null
}

export interface Alignment {
  readonly rows: readonly AlignedRow[]
  /** Whether differences are marked. Where the sides share too little, marks would only be noise. */
  readonly marks: 'shown' | 'too-different' | 'too-long'
}

const PAIR_SIMILARITY = 0.4
const COMPARABLE_SHARE = 0.1
/** Above this many cells the table of line pairs costs more than a frame. */
const MAX_CELLS = 40_000
const MAX_LINE_EDITS = 400
const MAX_WORD_DIFF_CHARACTERS = 6000

/** "3. ", "b) ", "- ": what numbers a line is not what it says. */
const LIST_MARK = /^\s*(?:\d+[.)]|[a-z][.)]|[-*•])\s+/i

function markOf(line: string): string {
  return LIST_MARK.exec(line)?.[0] ?? ''
}

function wordsOf(line: string): readonly string[] {
  return (
    line
      .replace(LIST_MARK, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** Dice overlap of two bags of words, 0 to 1. */
function similarity(one: readonly string[], two: readonly string[]): number {
  if (one.length === 0 || two.length === 0) return one.length === two.length ? 1 : 0
  const counts = new Map<string, number>()
  for (const word of one) counts.set(word, (counts.get(word) ?? 0) + 1)
  let common = 0
  for (const word of two) {
    const left = counts.get(word) ?? 0
    if (left > 0) {
      common += 1
      counts.set(word, left - 1)
    }
  }
  return (2 * common) / (one.length + two.length)
}

type LinePair = readonly [number, number]

/**
 * Partners of lines. Long texts are first cut at the lines that both have; what lies between the cuts is matched by
 * likeness where it is short enough.
 * @returns pairs of line numbers, rising; null when the texts are too long to compare
 */
function matchLines(left: readonly Line[], right: readonly Line[]): readonly LinePair[] | null {
  if (fits(left.length, right.length)) return matchByLikeness(left, right)
  const changes = diffArrays(
    left.map((line) => line.text),
    right.map((line) => line.text),
    { maxEditLength: MAX_LINE_EDITS },
  )
  if (changes === undefined) return null
  const pairs: LinePair[] = []
  let leftAt = 0
  let rightAt = 0
  let leftCut = 0
  let rightCut = 0
  const close = (): void => {
    if (fits(leftAt - leftCut, rightAt - rightCut)) {
      for (const [one, two] of matchByLikeness(left.slice(leftCut, leftAt), right.slice(rightCut, rightAt)))
        pairs.push([one + leftCut, two + rightCut])
    }
  }
  for (const change of changes) {
    if (change.removed) leftAt += change.count
    else if (change.added) rightAt += change.count
    else {
      close()
      for (let step = 0; step < change.count; step += 1) pairs.push([leftAt + step, rightAt + step])
      leftAt += change.count
      rightAt += change.count
      leftCut = leftAt
      rightCut = rightAt
    }
  }
  close()
  return pairs
}

function fits(rows: number, columns: number): boolean {
  return (rows + 1) * (columns + 1) <= MAX_CELLS
}

/**
 * The best order-keeping partners of lines, by dynamic programming over similarity (Needleman–Wunsch without a gap
 * cost). Lines less alike than PAIR_SIMILARITY are never partners.
 * @returns pairs of line numbers, rising
 */
function matchByLikeness(left: readonly Line[], right: readonly Line[]): readonly LinePair[] {
  const columns = right.length + 1
  const leftWords = left.map((line) => wordsOf(line.text))
  const rightWords = right.map((line) => wordsOf(line.text))
  const gain = new Float64Array(left.length * right.length) // [left, right]
  const best = new Float64Array((left.length + 1) * columns) // [left + 1, right + 1], of the suffixes
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const alike = pairGain(left[row], right[column], leftWords[row] ?? [], rightWords[column] ?? [])
      gain[row * right.length + column] = alike
      const matched = alike > 0 ? alike + (best[(row + 1) * columns + column + 1] ?? 0) : -1
      best[row * columns + column] = Math.max(
        matched,
        best[(row + 1) * columns + column] ?? 0,
        best[row * columns + column + 1] ?? 0,
      )
    }
  }
  const pairs: LinePair[] = []
  let row = 0
  let column = 0
  while (row < left.length && column < right.length) {
    const here = best[row * columns + column] ?? 0
    const alike = gain[row * right.length + column] ?? 0
    if (alike > 0 && Math.abs(here - alike - (best[(row + 1) * columns + column + 1] ?? 0)) < 1e-9) {
      pairs.push([row, column])
      row += 1
      column += 1
    } else if (here === (best[(row + 1) * columns + column] ?? 0)) row += 1
    else column += 1
  }
  return pairs
}

function pairGain(
  left: Line | undefined,
  right: Line | undefined,
  leftWords: readonly string[],
  rightWords: readonly string[],
): number {
  if (left === undefined || right === undefined || left.role !== right.role) return 0
  if (left.text === right.text) return left.text.trim() === '' ? 0.05 : 1
  if (leftWords.length === 0 || rightWords.length === 0) return 0
  const alike = similarity(leftWords, rightWords)
  return alike >= PAIR_SIMILARITY ? alike : 0
}

function plain(line: Line | undefined, alone: boolean): Cell | null {
  return line === undefined ? null : { pieces: [{ text: line.text, changed: false }], role: line.role, alone }
}

function marked(left: Line, right: Line): AlignedRow {
  if (left.text === right.text || left.text.length + right.text.length > MAX_WORD_DIFF_CHARACTERS) {
    return { left: plain(left, false), right: plain(right, false) }
  }
  const leftMark = markOf(left.text)
  const rightMark = markOf(right.text)
  const changes = diffWordsWithSpace(left.text.slice(leftMark.length), right.text.slice(rightMark.length))
  const side = (mine: 'added' | 'removed', mark: string, role: string | null): Cell => {
    const pieces = changes
      .filter((change) => change[mine] || (!change.added && !change.removed))
      .map((change) => ({ text: change.value, changed: change[mine] }))
    return {
      role,
      alone: false,
      pieces: [...(mark === '' ? [] : [{ text: mark, changed: false }]), ...tidyPieces(pieces)],
    }
  }
  return { left: side('removed', leftMark, left.role), right: side('added', rightMark, right.role) }
}

/** Changed words that only spaces part become one mark, and no mark begins or ends with a space. */
function tidyPieces(pieces: readonly Piece[]): readonly Piece[] {
  const tidy: Piece[] = []
  const add = (text: string, changed: boolean): void => {
    if (text === '') return
    const last = tidy.at(-1)
    if (last?.changed === changed) tidy[tidy.length - 1] = { text: last.text + text, changed }
    else tidy.push({ text, changed })
  }
  for (const [at, piece] of pieces.entries()) {
    const between = piece.text.trim() === '' && pieces[at - 1]?.changed === true && pieces[at + 1]?.changed === true
    if (between || !piece.changed) add(piece.text, between)
    else {
      const [, before = '', words = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(piece.text) ?? []
      // A space before a mark belongs to it when the mark goes on.
      add(before, tidy.at(-1)?.changed === true && words !== '')
      add(words, true)
      add(after, pieces[at + 1]?.changed === true)
    }
  }
  return tidy
}

/** Lines between two partners: those of both sides stand beside each other, so that no side is pushed down the page. */
function between(left: readonly Line[], right: readonly Line[], alone: boolean): AlignedRow[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) => ({
    left: plain(left[at], alone),
    right: plain(right[at], alone),
  }))
}

/** Sets two texts side by side, line by line, with the words that differ. */
export function alignLines(left: readonly Line[], right: readonly Line[]): Alignment {
  const pairs = matchLines(left, right)
  const telling = pairs?.filter(([at]) => (left[at]?.text.trim() ?? '') !== '').length ?? 0
  if (pairs === null || telling === 0 || telling / Math.max(left.length, right.length) < COMPARABLE_SHARE) {
    return { rows: between(left, right, false), marks: pairs === null ? 'too-long' : 'too-different' }
  }
  const rows: AlignedRow[] = []
  let leftAt = 0
  let rightAt = 0
  for (const [leftNext, rightNext] of [...pairs, [left.length, right.length] as const]) {
    rows.push(...between(left.slice(leftAt, leftNext), right.slice(rightAt, rightNext), true))
    const one = left[leftNext]
    const two = right[rightNext]
    if (one !== undefined && two !== undefined) rows.push(marked(one, two))
    leftAt = leftNext + 1
    rightAt = rightNext + 1
  }
  return { rows, marks: 'shown' }
}
