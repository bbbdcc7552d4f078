import { Template } from '@huggingface/jinja'
import { loadTokenizer } from './tokenizer.ts'

interface TokenizerVectors {
  readonly vocab_size: number
  readonly cases: readonly {
    readonly text: string
    readonly ids: readonly number[]
    readonly decoded: string
    readonly decoded_skip_special: string
  }[]
  readonly partial_utf8?: readonly { readonly ids: readonly number[]; readonly decoded: string }[]
  readonly chat_template?: string
  readonly chat?: readonly {
    readonly messages: readonly { readonly role: string; readonly content: string }[]
    readonly add_generation_prompt: boolean
    readonly text: string
    readonly ids: readonly number[]
  }[]
}

/** Encodes, decodes and renders every case; each failure says what was expected and what came. */
export function checkTokenizerVectors(
  json: unknown,
  vectors: unknown,
): { readonly passed: number; readonly failures: readonly string[] } {
  const {
    cases,
    partial_utf8: partial = [],
    chat = [],
    chat_template: template,
    vocab_size: vocabSize,
  } = vectors as TokenizerVectors // the golden layout
  const tokenizer = loadTokenizer(json)
  const failures: string[] = []
  let passed = 0
  const expectEqual = (name: string, actual: unknown, expected: unknown): void => {
    const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
    if (is === should) passed += 1
    else failures.push(`${name}: ${is}, expected ${should}`)
  }
  expectEqual('vocabulary', tokenizer.vocabSize, vocabSize)
  for (const one of cases) {
    const name = JSON.stringify(one.text.slice(0, 40))
    expectEqual(`encode ${name}`, tokenizer.encodeWithSpecial(one.text), one.ids)
    expectEqual(`decode ${name}`, tokenizer.decode(one.ids, { skipSpecial: false }), one.decoded)
    expectEqual(
      `decode without special ${name}`,
      tokenizer.decode(one.ids, { skipSpecial: true }),
      one.decoded_skip_special,
    )
  }
  for (const one of partial)
    expectEqual(`partial ${one.ids.join(' ')}`, tokenizer.decode(one.ids, { skipSpecial: false }), one.decoded)
  for (const [at, one] of chat.entries()) {
    const text = new Template(template ?? '').render({
      messages: [...one.messages],
      add_generation_prompt: one.add_generation_prompt,
    })
    expectEqual(`chat ${at}`, text, one.text)
    expectEqual(`chat ${at} ids`, tokenizer.encodeWithSpecial(text), one.ids)
  }
  return { passed, failures }
}
