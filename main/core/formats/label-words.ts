import type { Outcome, Strength } from '../../../shared/data-kinds.ts'

/** What a label value says by itself. */
export interface Verdict {
  readonly outcome: Outcome
  readonly strength: Strength | null
}

/** What the two sides are called in the file, for values that name one of them. */
export interface SideNames {
  readonly a: string
  readonly b: string
}

/** A value as it is compared: numbers by what they are, text without case, quotes, brackets and the kind of its spaces. */
export function canonicalValue(value: unknown): string | null {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(Object.is(value, -0) ? 0 : value) : null
  if (typeof value !== 'string') return null
  const text = unwrap(
    value
      .normalize('NFKC')
      .trim()
      .toLowerCase()
      .replace(/[−‒–](?=\d)/g, '-'),
  )
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) && Number.isFinite(Number(text)))
    return canonicalValue(Number(text))
  return text.replace(/[\s_-]+/g, ' ').trim()
}

export function isNumber(canonical: string): boolean {
  return canonical !== '' && Number.isFinite(Number(canonical))
}

/** `[[A]]`, `"A"`, `(A).` → `a` */
function unwrap(text: string): string {
  const inner = text.replace(/^(["'“”‘’`*\s]|\[+|\((?=[^()]*\)[.!]?$))+/u, '').replace(/(["'“”‘’`*\s.!]|\]+)+$/u, '')
  const bare = inner.startsWith('(') || !inner.endsWith(')') || inner.includes('(') ? inner : inner.slice(0, -1)
  return bare === '' ? text : bare
}

/** Cells that say nothing, as tables write them. */
export function isNoLabel(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    (typeof value === 'number' && Number.isNaN(value)) ||
    (typeof value === 'string' && /^\s*(nan|null|n\/a|#n\/a|<na>)?\s*$/i.test(value))
  )
}

const TIE = new Set([
  'tie',
  'ties',
  'tied',
  'a tie',
  "it's a tie",
  'equal',
  'equals',
  'equally',
  'equally good',
  'same',
  'the same',
  'about the same',
  'draw',
  'drawn',
  'no preference',
  'no difference',
  'neutral',
  'similar',
  'indifferent',
  'on par',
  'both',
  'both good',
  'both are good',
  'both equally good',
  'equally preferred',
  'both equal',
  'toss up',
  'even',
  '=',
  'a=b',
  'b=a',
  'a~b',
  'a≈b',
  'neither is better',
  'neither better',
  'about equal',
  'roughly equal',
  'approximately equal',
  'c_tie',
])
const BOTH_BAD = new Set([
  'both bad',
  'bothbad',
  'tie (bothbad)',
  'tie (both bad)',
  'tie bothbad',
  'tie both bad',
  'both are bad',
  'both poor',
  'both wrong',
  'both equally bad',
  'equally bad',
  'neither',
  'neither good',
  'neither is good',
  'neither are good',
  'none are good',
  'none is good',
])
const SKIP = new Set([
  'skip',
  'skipped',
  'unsure',
  'not sure',
  'abstain',
  'abstained',
  "can't tell",
  'cannot tell',
  'cant tell',
  "don't know",
  'dont know',
  'i don’t know',
  "i don't know",
  'idk',
  'undecided',
])

/** Words for the sides. */
const FIRST = new Set(['a', 'first', '1st', 'left', 'former'])
const SECOND = new Set(['b', 'second', '2nd', 'right', 'latter'])
/** What may stand before the letter or number of a side. */
const STEM =
  /^(response|model|answer|assistant|completion|option|output|candidate|summary|text|system|choice|reply|side|chatbot|bot|generation|conversation|sample|version|agent|llm|message|continuation)s?/
const FILLERS = new Set([
  'is',
  'was',
  'are',
  'the',
  'one',
  'i',
  'prefer',
  'prefers',
  'preferred',
  'preference',
  'for',
  'of',
  'better',
  'best',
  'wins',
  'win',
  'won',
  'winner',
  'winning',
  'winner:',
  'chosen',
  'selected',
  'verdict',
  'verdict:',
  'over',
  'than',
  'more',
  'vs',
])
const LOSING = new Set(['worse', 'loses', 'lost', 'loser', 'rejected', 'dispreferred'])
const STRENGTHS: ReadonlyMap<string, Strength> = new Map<string, Strength>([
  ...(['slightly', 'somewhat', 'marginally', 'weakly', 'barely', 'mildly', 'bit', 'little'] as const).map(
    (word) => [word, 'slightly'] as const,
  ),
  ...(['clearly', 'moderately', 'significantly', 'definitely', 'considerably'] as const).map(
    (word) => [word, 'clearly'] as const,
  ),
  ...(['far', 'much', 'strongly', 'vastly', 'overwhelmingly', 'extremely'] as const).map(
    (word) => [word, 'far'] as const,
  ),
])

/** Whether a file calls its first side 0 or 1; null where that is not known. */
export type Numbering = 0 | 1 | null

/** How the names of the columns number the sides, and whether the file's second one was given the role of the first. */
export interface SideOrder {
  readonly numbering: Numbering
  readonly reversed: boolean
}

/** By the names of the sides: `response_0` and `response_1` count from 0; `answer_b` as the first side is reversed. */
export function orderOfSides(sides: SideNames | null): SideOrder {
  const [a, b] = [markOf(sides?.a ?? ''), markOf(sides?.b ?? '')]
  if (a === null || b === null) return { numbering: null, reversed: false }
  if (typeof a === 'string' || typeof b === 'string')
    return { numbering: null, reversed: a === 'second' && b === 'first' }
  const low = Math.min(a, b)
  return { numbering: Math.abs(a - b) === 1 && (low === 0 || low === 1) ? low : null, reversed: a > b }
}

/** `response_0` → 0, `answer_left` → first, `human_ref_A` → first */
function markOf(name: string): number | 'first' | 'second' | null {
  const number = /(?:^|\D)([012])\D*$/.exec(name)
  if (number !== null) return Number(number[1])
  const words = splitWords(
    name
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .replace(/[\s_.-]+/g, ' '),
  )
  const word = words.findLast((one) => FIRST.has(one) || SECOND.has(one))
  return word === undefined ? null : FIRST.has(word) ? 'first' : 'second'
}

/** The numbers of sides that a value in words names: `response_1`, `model 2 is better`. Bare numbers are not words. */
export function sideNumbers(canonical: string): number[] {
  return splitWords(canonical).flatMap((word) => (/^[012]$/.test(word) ? [Number(word)] : []))
}

function splitWords(text: string): string[] {
  return text
    .replace(/[(),:"'’]/g, ' ')
    .split(/\s+/)
    .map((word) => word.replace(STEM, ''))
    .filter((word) => word !== '')
}

/**
 * What a value says in words: the name of a side, "A", "left", "tie", "A>>B", "strongly prefer B", "response a is
 * slightly better than response b". Null where a word in it is not understood: nothing is guessed.
 */
export function readWord(canonical: string, sides: SideNames | null, numbering: Numbering): Verdict | null {
  if (isNumber(canonical)) return null
  if (sides !== null) {
    if (canonical === canonicalValue(sides.a)) return { outcome: 'a', strength: null }
    if (canonical === canonicalValue(sides.b)) return { outcome: 'b', strength: null }
  }
  if (TIE.has(canonical)) return { outcome: 'tie', strength: null }
  if (BOTH_BAD.has(canonical)) return { outcome: 'both-bad', strength: null }
  if (SKIP.has(canonical)) return { outcome: 'skip', strength: null }
  const verdict = readComparison(canonical, numbering) ?? readSentence(canonical, numbering)
  if (verdict === null || !orderOfSides(sides).reversed || verdict.outcome === 'tie') return verdict
  return { ...verdict, outcome: verdict.outcome === 'a' ? 'b' : 'a' }
}

/** Arena-hard's verdicts: one `>` slightly, two clearly, three far. */
function readComparison(text: string, numbering: Numbering): Verdict | null {
  const found = /^(.+?)\s*(>{1,3}|<{1,3}|={1,2}|~|≈)\s*(.+)$/.exec(text)
  if (found === null) return null
  const [left, right] = [
    sideOf(splitWords(found[1] ?? '').join(' '), numbering),
    sideOf(splitWords(found[3] ?? '').join(' '), numbering),
  ]
  const sign = found[2] ?? ''
  if (left === null || right === null || left === right) return null
  if (!/[<>]/.test(sign)) return { outcome: 'tie', strength: null }
  const strength = (['slightly', 'clearly', 'far'] as const)[sign.length - 1] ?? null
  return { outcome: sign.startsWith('>') ? left : right, strength }
}

function sideOf(word: string, numbering: Numbering): 'a' | 'b' | null {
  if (numbering !== null && word === String(numbering)) return 'a'
  if (numbering !== null && word === String(numbering + 1)) return 'b'
  return FIRST.has(word) ? 'a' : SECOND.has(word) ? 'b' : null
}

function readSentence(text: string, numbering: Numbering): Verdict | null {
  const words = splitWords(text)
  const mentioned: ('a' | 'b')[] = []
  let strength: Strength | null = null
  let loses = false
  for (const [at, word] of words.entries()) {
    // The article of "a bit" is no side.
    if (word === 'a' && ['bit', 'little'].includes(words[at + 1] ?? '')) continue
    const side = sideOf(word, numbering)
    if (side !== null) mentioned.push(side)
    else if (STRENGTHS.has(word)) strength = STRENGTHS.get(word) ?? null
    else if (LOSING.has(word)) loses = true
    else if (!FILLERS.has(word)) return null
  }
  const [first, second] = mentioned
  if (first === undefined || mentioned.length > 2 || first === second) return null
  if (second !== undefined && !/\b(than|over)\b/.test(text)) return null // "a or b" names both
  return { outcome: loses ? (first === 'a' ? 'b' : 'a') : first, strength }
}

/** `response_1` alone says nothing about where counting begins; with `response_2` or `response_0` beside it, it does. */
export function numberingOfWords(words: readonly string[], sides: SideNames | null): Numbering {
  const own = orderOfSides(sides).numbering
  if (own !== null) return own
  const numbers = new Set(words.flatMap(sideNumbers))
  return numbers.has(0) && !numbers.has(2) ? 0 : numbers.has(2) && !numbers.has(0) ? 1 : null
}

/** A column like `a_is_better` or `response_1_wins` says whom true and 1 mean. */
export function sideNamedBy(column: string, sides: SideNames | null): 'a' | 'b' | 'tie' | null {
  const words = column
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[\s_.-]+/g, ' ')
    .trim()
  if (/\b(tie|tied|equal|draw|both)\b/.test(words)) return 'tie'
  if (!/\b(better|best|win|wins|won|winner|prefer|prefers|preferred|chosen|selected|safer|correct)\b/.test(words))
    return null
  const rest = words.replace(/^(is|was|does|has) /, '')
  const named = readWord(
    rest
      .replace(/\b(winner|preferred|chosen|selected|safer|correct)\b/g, '$1')
      .replace(/\b(safer|correct)\b/g, 'better'),
    sides,
    numberingOfWords([rest], sides),
  )
  return named?.outcome === 'a' || named?.outcome === 'b' ? named.outcome : null
}
