import { tagsFormat } from '../../core/learn/tokens/tags-format.ts'
import type { EncodedCompletion } from '../../core/learn/tokens/encode-rows.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { keywordReward, lengthReward } from '../../core/learn/rewards.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import { tokenizerFor } from './train-decoder.ts'

// A corpus of short descriptions, made by rule: enough language for a model of a hundred thousand weights, and rewards
// that can be computed from the text alone.

const ANIMALS = [
  'cat',
  'dog',
  'owl',
  'fox',
  'horse',
  'whale',
  'mouse',
  'eagle',
  'bear',
  'frog',
  'goat',
  'hen',
  'seal',
  'crow',
  'wolf',
  'bee',
  'duck',
  'deer',
  'snail',
  'swan',
  'toad',
  'mole',
  'lynx',
  'crab',
  'moth',
  'hare',
  'pig',
  'cow',
  'bat',
  'ant',
  'eel',
  'ram',
]
const PLACES = ['barn', 'lake', 'forest', 'garden', 'field', 'river']
const TRAITS = ['warm', 'kind', 'quick', 'shy', 'loud', 'calm', 'proud', 'small', 'grey', 'wild']
const ACTIONS = ['sleeps', 'hunts', 'sings', 'runs', 'waits', 'eats']

/** What the reward asks for: both words, in about this many characters. */
export const WANTED = { words: ['warm', 'kind'], characters: 40 } as const

/** Share of the wanted words less the distance from the wanted length: 1 at best. */
export function trueReward(text: string): number {
  return keywordReward(text, WANTED.words) + lengthReward(text.trim(), WANTED.characters)
}

export interface SmallTalk {
  readonly tokenizer: Tokenizer
  readonly rows: readonly EncodedCompletion[]
  /** Prompts to learn at, to choose β by, and to report on. */
  readonly prompts: {
    readonly train: readonly string[]
    readonly choose: readonly string[]
    readonly report: readonly string[]
  }
}

export function smallTalk(seed: number, sentences: number): SmallTalk {
  const random = createRandom(seed).fork('small talk')
  const prompts = random.shuffle(ANIMALS.flatMap((animal) => PLACES.map((place) => `the ${animal} at the ${place}`)))
  const texts = Array.from({ length: sentences }, () => {
    const prompt = prompts[random.int(prompts.length)]!
    return { prompt, text: describe(random) }
  })
  const tokenizer = tokenizerFor(
    texts.flatMap((one) => [one.prompt, one.text]),
    400,
  )
  const rows = texts.map(({ prompt, text }) => ({
    prompt: tagsFormat(tokenizer).prompt(prompt),
    completion: [...tokenizer.encode(text), tokenizer.endId],
    text,
  }))
  return {
    tokenizer,
    rows,
    prompts: { train: prompts.slice(0, 96), choose: prompts.slice(96, 144), report: prompts.slice(144) },
  }
}

/** "is grey and shy. it sleeps. it hunts and is loud." — one to four parts. */
function describe(random: Random): string {
  const pick = (words: readonly string[]): string => words[random.int(words.length)]!
  const parts = Array.from({ length: 1 + random.int(4) }, (_none, at) => {
    const trait = pick(TRAITS)
    const kind = random.int(3)
    if (kind === 0) return `${at === 0 ? '' : 'it '}is ${trait}.`
    if (kind === 1) return `${at === 0 ? '' : 'it '}is ${trait} and ${pick(TRAITS)}.`
    return `${at === 0 ? '' : 'it '}${pick(ACTIONS)}.`
  })
  return parts.join(' ')
}
