import { describe, expect, it } from 'vitest'
import { bm25Tokens, createBm25Index } from '../../main/core/learn/ranking/bm25.ts'
import { stemmedTerms } from '../../main/core/learn/ranking/lexical.ts'
import { findOwnCopies } from '../../main/core/learn/ranking/own-copies.ts'
import { wordsOf } from '../../main/core/learn/ranking/words.ts'

const DOCUMENTS = ['mold zakon zor', 'zor zor pim', 'pim kolo mold', 'lod zakon kolo pim', 'mirak']
const QUERIES = ['mold pim', 'zakon', 'zor kolo', 'mirak lod']
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
/** One letter of another script for each of the Latin ones, some with marks. */
const ALPHABETS: Readonly<Record<string, readonly string[]>> = {
  Cyrillic: [...'абвгдежзийклмнопрстуфхцчшщ'],
  Greek: [...'αβγδεζηθικλμνξοπρςτυφχψωάέ'],
  Arabic: [...'ابتثجحخدذرزسشصضطظعغفقكلمنه'],
  Korean: [...'가나다라마바사아자차카타파하거너더러머버서어저처커터'],
  Devanagari: [
    'क',
    'कि',
    'खा',
    'गी',
    'घ',
    'चु',
    'छे',
    'जो',
    'झ',
    'ञ',
    'टा',
    'ठि',
    'ड',
    'ढ',
    'ण',
    'तु',
    'थ',
    'द',
    'धो',
    'न',
    'पे',
    'फ',
    'ब',
    'भा',
    'म',
    'यि',
  ],
  German: [...'äöüßabcdefghijklmnopqrstuv'],
}

function scoresOf(write: (text: string) => string): number[][] {
  const index = createBm25Index(DOCUMENTS.map((text) => bm25Tokens(write(text))))
  return QUERIES.map((query) => [...index.score(bm25Tokens(write(query).normalize('NFD')), { k1: 0.9, b: 0.4 })])
}

describe('words', () => {
  it.each(Object.keys(ALPHABETS))('give the same first stage in Latin and in %s letters, composed or not', (name) => {
    const letters = ALPHABETS[name]!
    const latin = scoresOf((text) => text)
    expect(latin.flat().some((score) => score > 0)).toBe(true)
    expect(
      scoresOf((text) => Array.from(text, (letter) => letters[LETTERS.indexOf(letter)] ?? letter).join('')),
    ).toEqual(latin)
  })

  it('are those of [a-z0-9]+ in plain English', () => {
    const text = "It's a 3-D wing_tip, at Mach 2.5 (see [7])!"
    expect(wordsOf(text)).toEqual(text.toLowerCase().match(/[a-z0-9]+/g))
  })

  it('are pairs of letters where a script has no spaces', () => {
    expect(wordsOf('自然言語 とGPT4を 山')).toEqual(['自然', '然言', '言語', 'と', 'gpt4', 'を', '山'])
    expect(stemmedTerms('山 の q')).toEqual(['山', 'の'])
    expect(wordsOf('コーヒー')).toEqual(['コー', 'ーヒ', 'ヒー'])
  })

  it('keep marks, and lose what nobody sees', () => {
    expect(wordsOf('हिन्दी café cafe\u0301 Wör\u00ADter می\u200Cخواهم')).toEqual(
      ['हिन्दी', 'café', 'café', 'wörter', 'میخواهم'].map((word) => word.normalize('NFC')),
    )
  })
})

describe('queries that are documents', () => {
  const documents = [
    { docId: '1', title: '', text: 'Одна мысль.' },
    { docId: '2', title: 'Two', text: 'thoughts here' },
    { docId: '3', title: '', text: 'other words' },
  ]
  it('are found by id where most shared ids have the same words, titles or not', () => {
    const found = findOwnCopies(
      [
        { queryId: '1', text: 'одна мысль' },
        { queryId: '2', text: 'two thoughts here' },
        { queryId: '3', text: 'slightly else' },
        { queryId: '9', text: 'Other words!' },
      ],
      documents,
    )
    expect([[...found.sameId], [...found.sameText]]).toEqual([['1', '2', '3'], ['9']])
  })
  it('are not made of collections that are both numbered from 1', () => {
    const found = findOwnCopies(
      [
        { queryId: '1', text: 'what is it' },
        { queryId: '2', text: 'why' },
        { queryId: '3', text: 'other words' },
      ],
      documents,
    )
    expect([[...found.sameId], [...found.sameText]]).toEqual([[], ['3']])
  })
})
