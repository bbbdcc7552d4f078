import type { EncodedCompletion } from '../../core/learn/tokens/encode-rows.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { tagsFormat } from '../../core/learn/tokens/tags-format.ts'
import type { TextFormat } from '../../core/learn/tokens/text-format.ts'
import type { RationalePrompt } from '../../core/learn/embed/rationale.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import { tokenizerFor } from './train-decoder.ts'

// Texts about a few topics, and a model that has learned to say, often wrongly, what a text is about: small enough for
// this machine, and with room to get better by reinforcement.

const TOPICS: Readonly<Record<string, readonly string[]>> = {
  sea: ['wave', 'tide', 'shell', 'anchor', 'sail', 'reef', 'harbor', 'salt'],
  kitchen: ['oven', 'spoon', 'flour', 'pan', 'recipe', 'onion', 'kettle', 'bread'],
  music: ['violin', 'chord', 'drum', 'choir', 'melody', 'flute', 'rhythm', 'opera'],
  snow: ['ice', 'sled', 'frost', 'winter', 'glove', 'skier', 'blizzard', 'glacier'],
  law: ['judge', 'court', 'verdict', 'lawyer', 'trial', 'witness', 'appeal', 'jury'],
  garden: ['rose', 'seed', 'soil', 'hedge', 'tulip', 'rake', 'compost', 'lawn'],
  space: ['rocket', 'orbit', 'planet', 'comet', 'moon', 'galaxy', 'probe', 'crater'],
  money: ['bank', 'loan', 'coin', 'stock', 'budget', 'credit', 'profit', 'tax'],
}
const NAMES = Object.keys(TOPICS)
const FILLER = ['old', 'near', 'some', 'later', 'with', 'small', 'that', 'again', 'very', 'under']
/** Of the rationales that the model is pre-trained on. */
const RIGHT_SHARE = 0.55

export const TOPIC_SYSTEM = 'name the topic'

export interface TopicText {
  readonly topic: string
  readonly text: string
}

export interface TopicWorld {
  readonly tokenizer: Tokenizer
  readonly pretraining: readonly EncodedCompletion[]
  readonly train: readonly { readonly query: TopicText; readonly positive: TopicText; readonly negative: TopicText }[]
  readonly heldOut: {
    readonly queries: readonly TopicText[]
    readonly documents: readonly TopicText[]
    readonly pretraining: readonly EncodedCompletion[]
  }
  readonly format: TextFormat
  prompt(text: string): RationalePrompt
}

export function topicWorld(
  seed: number,
  sizes: {
    readonly pretraining: number
    readonly triples: number
    readonly queries: number
    readonly documents: number
  },
): TopicWorld {
  const random = createRandom(seed).fork('topics')
  const some = (count: number, length: number): TopicText[] =>
    Array.from({ length: count }, (_none, at) => textAbout(NAMES[at % NAMES.length]!, length, random))
  const lessons = some(sizes.pretraining + 64, 4).map((one) => ({ ...one, rationale: rationaleFor(one.topic, random) }))
  const tokenizer = tokenizerFor(
    [...lessons.flatMap((one) => [one.text, one.rationale]), TOPIC_SYSTEM, `${NAMES.join(' ')} about`],
    420,
  )
  const format = tagsFormat(tokenizer)
  const prompt = (text: string): RationalePrompt => format.asked(TOPIC_SYSTEM, text, 64)
  const encoded = lessons.map(({ text, rationale }): EncodedCompletion => ({
    prompt: prompt(text).ids,
    completion: [...tokenizer.encode(rationale), tokenizer.endId],
    text: rationale,
  }))
  const train = Array.from({ length: sizes.triples }, () => {
    const topic = random.int(NAMES.length)
    const other = (topic + 1 + random.int(NAMES.length - 1)) % NAMES.length
    return {
      query: textAbout(NAMES[topic]!, 3, random),
      positive: textAbout(NAMES[topic]!, 5, random),
      negative: textAbout(NAMES[other]!, 5, random),
    }
  })
  return {
    tokenizer,
    pretraining: encoded.slice(0, sizes.pretraining),
    train,
    heldOut: {
      queries: some(sizes.queries, 3),
      documents: some(sizes.documents, 5),
      pretraining: encoded.slice(sizes.pretraining),
    },
    format,
    prompt,
  }
}

/** Two words of its topic, the others filler, in any order. */
function textAbout(topic: string, length: number, random: Random): TopicText {
  const words = TOPICS[topic]!
  const own = [words[random.int(words.length)]!, words[random.int(words.length)]!]
  const rest = Array.from({ length: length - own.length }, () => FILLER[random.int(FILLER.length)]!)
  return { topic, text: random.shuffle([...own, ...rest]).join(' ') }
}

/** "about sea sea wave": the topic that is named is the text's, or any. */
function rationaleFor(topic: string, random: Random): string {
  const named = random.uniform() < RIGHT_SHARE ? topic : NAMES[random.int(NAMES.length)]!
  const words = TOPICS[named]!
  return `about ${named} ${words[random.int(words.length)]!} ${named}`
}

/** Share of rationales that name the right topic. */
export function namesTopic(rationale: string, topic: string): boolean {
  return rationale.includes(topic)
}
