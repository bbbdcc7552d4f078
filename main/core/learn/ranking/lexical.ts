// How text becomes terms for lexical matching and for latent semantic analysis: stop words out, endings off.
import { wordsOf } from './words.ts'

const STOP_WORDS = new Set(
  (
    'a about above after all also although am among an and another any are as at be because been before being below between both but by can cannot could did do does doing done down during each either else ' +
    'ever every few for from further given had has have having he her here hers him his how however i if in into is it its itself just made make may might more most much must my neither no nor not now obtained of off on once one only ' +
    'or other our out over own same several shall she should since so some such than that the their them then there these they this those through thus to too two under until up upon us use used using very via was we were what when where ' +
    'whether which while who whom why will with within without would you your'
  ).split(' '),
)

/** Longest first: the first that leaves at least four letters is taken off. */
const ENDINGS = [
  'izations',
  'ization',
  'ations',
  'ically',
  'ation',
  'ments',
  'ities',
  'ously',
  'ively',
  'ical',
  'ings',
  'edly',
  'ness',
  'ment',
  'ally',
  'ics',
  'ing',
  'ity',
  'ous',
  'ive',
  'ies',
  'ers',
  'ic',
  'ed',
  'al',
  'er',
  'es',
  'ly',
  'e',
  's',
  'y',
]

/** A light stemmer: one English ending off, whatever word that makes. Not Porter's rules, and meant for matching alone. */
export function stem(word: string): string {
  if (word.length > 4) {
    for (const ending of ENDINGS)
      if (word.length - ending.length >= 4 && word.endsWith(ending)) return word.slice(0, -ending.length)
  }
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}

/** A Chinese or Japanese letter that stands alone is a word. */
const SINGLE = /^(?!\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana})\P{M}\p{M}*$/u

/** Words without stop words and single characters, stemmed. Endings and stop words are English: other languages keep their words whole. */
export function stemmedTerms(text: string): string[] {
  return wordsOf(text)
    .filter((word) => !SINGLE.test(word) && !STOP_WORDS.has(word))
    .map(stem)
}

/** Neighbouring terms as one. */
export function termPairs(terms: readonly string[]): string[] {
  return terms.slice(1).map((term, at) => `${terms[at]!} ${term}`)
}
