// What a word is to the first stage, in any alphabet.

/** Letters with their marks (vowel signs of Devanagari, points of Hebrew) and digits. */
const WORDS = /[\p{L}\p{M}\p{N}]+/gu
/** Written without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese. Korean and Tibetan have spaces or marks between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]/u
/** Joiners, soft hyphens and marks of width 0 stand within words. */
const UNSEEN = /[\u00AD\u200B-\u200D\u2060\uFEFF]/gu
const LETTERS = /\P{M}\p{M}*/gu

/**
 * Runs of letters and digits in lower case, composed (NFC), so that a letter and its accent are the same however they
 * were typed. Where a script has no spaces, each two neighbouring letters are a word, as in Lucene's analyzer for
 * Chinese, Japanese and Korean; a letter that stands alone is one. For ASCII these are the words of [a-z0-9]+.
 */
export function wordsOf(text: string): string[] {
  const words = text.toLowerCase().normalize('NFC').replace(UNSEEN, '').match(WORDS) ?? []
  return words.flatMap((word) => (UNSPACED.test(word) ? stretchesOf(word) : [word]))
}

function stretchesOf(word: string): string[] {
  const stretches: { readonly spaced: boolean; readonly letters: string[] }[] = []
  for (const letter of word.match(LETTERS) ?? [word]) {
    const spaced = !UNSPACED.test(letter)
    const last = stretches.at(-1)
    if (last?.spaced === spaced) last.letters.push(letter)
    else stretches.push({ spaced, letters: [letter] })
  }
  return stretches.flatMap(({ spaced, letters }) =>
    spaced || letters.length === 1
      ? [letters.join('')]
      : letters.slice(1).map((letter, at) => `${letters[at] ?? ''}${letter}`),
  )
}
