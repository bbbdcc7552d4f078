import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../shared/data-kinds.ts'
import { encodeChat, encodeConversation } from '../../main/core/learn/tokens/chat-template.ts'
import { layoutOf, openLanguage, type Language } from '../../main/core/learn/tokens/language.ts'
import { inTwoRoles } from '../../main/core/learn/tokens/template-format.ts'
import { TAGS_TEMPLATE } from '../../main/core/learn/tokens/tags-format.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { ownLanguage } from '../../main/core/models/language-files.ts'

interface Family {
  readonly tokenizer: { readonly added_tokens: readonly { readonly id: number; readonly content: string }[] }
  readonly template: string
  readonly special: Readonly<Record<string, string>>
  /** What transformers gives: the whole conversation, what stands before the last answer, and what the model writes. */
  readonly rows: readonly {
    readonly ids: number[]
    readonly prompt: number[]
    readonly mask?: string
    readonly refused?: boolean
  }[]
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/chat/${name}.json`, import.meta.url), 'utf8'))
const conversations = read('conversations') as Message[][]
const NAMES = ['chatml', 'qwen3', 'llama3', 'mistral', 'gemma'] as const
const families = Object.fromEntries(NAMES.map((name) => [name, read(name) as Family]))
/** The token that ends a turn, which only the template tells of Gemma. */
const TURN_END = {
  chatml: '<|im_end|>',
  qwen3: '<|im_end|>',
  llama3: '<|eot_id|>',
  mistral: '</s>',
  gemma: '<end_of_turn>',
} as const

function languageOf(name: (typeof NAMES)[number], layout: 'template' | 'plain' = 'template'): Language {
  const { tokenizer, template, special } = families[name]!
  return openLanguage(
    { ...ownLanguage(tokenizer), chatTemplate: template, specialTokens: special },
    layout,
    new Date('2024-07-26'),
  )
}

describe.each(NAMES)('the chat template of %s', (name) => {
  const family = families[name]!
  const language = languageOf(name)
  const { tokenizer, format } = language
  const template = { source: family.template, variables: family.special }
  const idOf = (text: string): number => family.tokenizer.added_tokens.find((token) => token.content === text)!.id

  test('gives the tokens of transformers for 200 conversations, those it refuses in two roles', () => {
    expect(conversations).toHaveLength(200)
    conversations.forEach((turns, at) => {
      const { ids, prompt, mask, refused = false } = family.rows[at]!
      const write = (): unknown => encodeConversation(tokenizer, template, turns)
      if (refused) expect(write).toThrow(expect.objectContaining({ code: 'model-unsupported' }))
      const spoken = refused ? inTwoRoles(turns)! : turns
      const whole = encodeConversation(tokenizer, template, spoken)
      expect(whole.ids).toEqual(ids)
      expect(whole.generated === null ? undefined : [...whole.generated].join('')).toBe(mask)
      expect(encodeChat(tokenizer, template, spoken.slice(0, -1))).toEqual(prompt)
    })
  })

  test('is what training reads: the prompt, then the answer up to the end of its turn', () => {
    const end = idOf(TURN_END[name])
    expect([tokenizer.endId, tokenizer.stopIds[0]]).toEqual([end, end])
    conversations.forEach((turns, at) => {
      const { ids, prompt } = family.rows[at]!
      const row = format.row(turns.slice(0, -1), turns.slice(-1), 10_000)
      const trained = [...row.prompt, ...row.completion]
      expect(row.prompt).toEqual(prompt)
      if (prompt.some((id, place) => ids[place] !== id)) {
        // An answer whose first character makes one token with the template's last: it is trained as it will be written.
        expect(row.completion).toEqual([...tokenizer.encode(turns.at(-1)!.content), end])
        return
      }
      expect(trained).toEqual(ids.slice(0, trained.length))
      expect(format.prompt(turns.slice(0, -1))).toEqual(prompt)
      expect(row.completion.at(-1)).toBe(end)
      expect(ids.slice(trained.length)).not.toContain(end) // what is left out follows the end of the last turn
      expect(tokenizer.decode(ids.slice(trained.length)).trim()).toBe('')
      if (row.trained !== null) expect(row.trained).toHaveLength(row.completion.length)
    })
  })

  test('stays whole where a conversation is cut: the oldest turns go, then the beginning of the last text', () => {
    const opening = encodeChat(tokenizer, template, [{ role: 'user', content: 'x' }])
    const special = new Set(family.tokenizer.added_tokens.map((token) => token.id))
    for (const turns of conversations.filter((_turns, at) => at % 4 === 0)) {
      const prompt = turns.slice(0, -1)
      const whole = format.prompt(prompt)
      const room = Math.max(opening.length + 12, Math.floor(whole.length * 0.6))
      if (whole.length <= room) continue
      const [system, ...rest] = prompt
      let fitted: readonly number[]
      try {
        fitted = format.prompt(prompt, room)
      } catch (error) {
        expect(error).toMatchObject({ code: 'spec-invalid' }) // the frame of system and question does not fit
        continue
      }
      expect(fitted.length).toBeLessThanOrEqual(room)
      expect(fitted.at(-1)).toBe(whole.at(-1)) // what opens the answer
      expect(fitted[0]).toBe(whole[0])
      const marks = (ids: readonly number[]): number[] => ids.filter((id) => special.has(id))
      const shorter = [rest.length === 0 ? [] : [system!], prompt.slice(-1)].flat()
      expect(marks(fitted).length).toBeLessThanOrEqual(marks(whole).length)
      expect(marks(fitted).length).toBeGreaterThanOrEqual(Math.min(marks(format.prompt(shorter.slice(-1))).length, 3))
    }
  })

  test('a text of the data is a turn of the user or of the assistant, and names no token', () => {
    const plain = format.row('Name a colour.', 'Red.', 1000)
    const turns = format.row(
      [{ role: 'user', content: 'Name a colour.' }],
      [{ role: 'assistant', content: 'Red.' }],
      1000,
    )
    expect(plain).toEqual(turns)
    const special = new Set(tokenizer.stopIds)
    const sly = format.row(`Say ${TURN_END[name]} now.`, `${TURN_END[name]} and on`, 1000)
    expect(sly.completion.filter((id) => special.has(id))).toEqual([tokenizer.endId])
    expect(format.written('Red.', 'Name a colour.')).toBe('Red.')
    expect(format.written('Red.', [{ role: 'user', content: 'Name a colour.' }])).toEqual([
      { role: 'assistant', content: 'Red.' },
    ])
  })

  test('asks for a rationale in its own layout, and knows where the text begins', () => {
    const asked = (text: string): { readonly before: string; readonly after: string } => {
      const { ids, systemTokens } = format.asked('Think about the text.', text, 120)
      const decode = (part: readonly number[]): string => tokenizer.decode(part, { skipSpecial: false })
      return { before: decode(ids.slice(0, systemTokens)), after: decode(ids.slice(systemTokens)) }
    }
    for (const text of ['a colour', 'Zebra', 'the days of May']) {
      expect(asked(text).before).toContain('Think about the text.')
      expect(asked(text).after.trimStart().startsWith(text.slice(0, 3))).toBe(true)
    }
    expect(format.asked('Think.', 'word '.repeat(500), 120).ids.length).toBeLessThanOrEqual(120)
  })
})

test('a completion longer than the room loses its end, and what is learned is cut with it', () => {
  const { format } = languageOf('qwen3')
  const row = format.row('Name a colour.', 'red '.repeat(100), 48)
  expect([row.wasCut, row.prompt.length + row.completion.length, row.trained?.length]).toEqual([
    true,
    48,
    row.completion.length,
  ])
  expect(row.trained!.slice(2)).toEqual(new Uint8Array(row.completion.length - 2).fill(1))
})

describe('a base model', () => {
  test('reads text as it stands, after what its texts begin with and up to what ends them', () => {
    const { tokenizer, format } = languageOf('llama3', 'plain')
    const { prompt, completion } = format.row('Name a colour:', ' red', 100)
    expect(tokenizer.decode(prompt, { skipSpecial: false })).toBe('<|begin_of_text|>Name a colour:')
    expect(tokenizer.decode(completion, { skipSpecial: false })).toBe(' red<|eot_id|>')
    const turns = format.row([{ role: 'user', content: 'Hi' }], [{ role: 'assistant', content: 'Hello' }], 100)
    expect(tokenizer.decode([...turns.prompt, ...turns.completion], { skipSpecial: false })).toBe(
      '<|begin_of_text|>User: Hi\nAssistant: Hello<|eot_id|>',
    )
    expect(format.prompt('word '.repeat(50), 8)[0]).toBe(tokenizer.opening[0])
    expect(format.prompt('word '.repeat(50), 8)).toHaveLength(8)
  })
})

describe('the layout', () => {
  test('is chosen by what the model has', () => {
    expect(layoutOf({ tokenizerConfig: {}, chatTemplate: 'x' }, false)).toBe('template')
    expect(layoutOf({ tokenizerConfig: null, chatTemplate: null }, false)).toBe('plain')
    expect(layoutOf({ tokenizerConfig: null, chatTemplate: null }, true)).toBe('tags')
    expect(layoutOf({ tokenizerConfig: { pairlab_layout: 'plain' }, chatTemplate: 'x' }, false)).toBe('plain')
  })

  test('of models made here, as a chat template for other programs, writes the tokens that training reads', () => {
    const { tokenizer, format } = openLanguage(ownLanguage(byteTokenizer()), 'tags')
    const template = {
      source: TAGS_TEMPLATE,
      variables: { eos_token: tokenizer.decode([tokenizer.endId], { skipSpecial: false }) },
    }
    for (const turns of conversations) {
      const row = format.row(turns.slice(0, -1), turns.slice(-1), 100_000)
      expect(encodeConversation(tokenizer, template, turns).ids).toEqual([...row.prompt, ...row.completion])
      expect(encodeChat(tokenizer, template, turns.slice(0, -1))).toEqual([
        ...row.prompt,
        ...tokenizer.encode('<assistant>\n'),
      ])
    }
  })
})
