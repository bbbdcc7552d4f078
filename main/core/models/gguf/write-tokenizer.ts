// A tokenizer.json as the metadata of a GGUF file.
import { z } from 'zod'
import { AppError } from '../../../../shared/errors.ts'
import { BYTE, CONTROL, CUTS, LAYOUT_KEY, NORMALIZER_KEY, UNKNOWN, UNUSED, USER_DEFINED, WORDS } from './cuts.ts'

/** Values with their types, by key. */
export type GgufEntry =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'uint32' | 'float32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'int32s' | 'float32s'; readonly value: readonly number[] }

/** What is said beside the vocabulary. */
export interface Spoken {
  readonly beginId: number | null
  readonly putsBeginning: boolean
  /** Ends a turn, and everything else that ends what is written. */
  readonly endIds: readonly number[]
  readonly padId: number
  readonly chatTemplate: string | null
  /** In which the weights were trained here; see LAYOUT_MARK. */
  readonly layout: string
}

const step = z.looseObject({
  type: z.string(),
  individual_digits: z.boolean().optional(),
  use_regex: z.boolean().optional(),
  prepend: z.string().optional(),
  pattern: z.looseObject({ Regex: z.string().optional(), String: z.string().optional() }).optional(),
})
type Step = z.infer<typeof step>
const steps = z.union([
  z.null(),
  z.looseObject({ type: z.literal('Sequence'), pretokenizers: z.array(step) }).transform((one) => one.pretokenizers),
  z.looseObject({ type: z.literal('Sequence'), normalizers: z.array(step) }).transform((one) => one.normalizers),
  step.transform((one) => [one]),
])
const file = z.looseObject({
  normalizer: steps.default(null),
  pre_tokenizer: steps.default(null),
  added_tokens: z
    .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
  model: z.looseObject({
    type: z.string().default('BPE'),
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
    unk_token: z.string().nullish(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
  }),
})
type TokenizerFile = z.infer<typeof file>

/** @throws AppError `model-unsupported` for a tokenizer that the format has no name for */
export function tokenizerEntries(json: unknown, size: number, spoken: Spoken): Record<string, GgufEntry> {
  const parsed = file.safeParse(json)
  if (!parsed.success || parsed.data.model.type !== 'BPE') throw refused('its tokenizer is no byte-pair encoding')
  const tokenizer = parsed.data
  const tokens = namesOf(tokenizer, size)
  const { beginId, putsBeginning, endIds, padId, chatTemplate, layout } = spoken
  const [end, ...others] = endIds
  return {
    ...(tokenizer.model.byte_fallback === true ? byPieces(tokenizer, tokens) : byBytes(tokenizer)),
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.token_type': { type: 'int32s', value: typesOf(tokenizer, tokens) },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: putsBeginning },
    ...(beginId === null ? {} : { 'tokenizer.ggml.bos_token_id': { type: 'uint32', value: beginId } }),
    ...(end === undefined ? {} : { 'tokenizer.ggml.eos_token_id': { type: 'uint32', value: end } }),
    ...(others[0] === undefined ? {} : { 'tokenizer.ggml.eot_token_id': { type: 'uint32', value: others[0] } }),
    ...(others[1] === undefined ? {} : { 'tokenizer.ggml.eom_token_id': { type: 'uint32', value: others[1] } }),
    'tokenizer.ggml.padding_token_id': { type: 'uint32', value: padId },
    [LAYOUT_KEY]: { type: 'string', value: layout },
    ...(chatTemplate === null ? {} : { 'tokenizer.chat_template': { type: 'string', value: chatTemplate } }),
  }
}

/** By number; rows of the embedding that no token has are named as llama.cpp names them. */
function namesOf({ model, added_tokens: added }: TokenizerFile, size: number): string[] {
  const names: string[] = Array.from({ length: size }, (_none, id) => `[PAD${id}]`)
  for (const [token, id] of [...Object.entries(model.vocab), ...added.map((one) => [one.content, one.id] as const)])
    if (id < size) names[id] = token
  return names
}

function typesOf({ model, added_tokens: added }: TokenizerFile, tokens: readonly string[]): number[] {
  const known = new Set(Object.values(model.vocab))
  const pieces = model.byte_fallback === true // a byte-level vocabulary knows every text, and names some control token here
  const types: number[] = tokens.map((token, id) =>
    pieces && /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : known.has(id) ? 1 : UNUSED,
  )
  for (const { id, content, special } of added)
    types[id] = pieces && content === model.unk_token ? UNKNOWN : special ? CONTROL : USER_DEFINED
  return types.slice(0, tokens.length)
}

function byBytes({ model, normalizer, pre_tokenizer: cuts }: TokenizerFile): Record<string, GgufEntry> {
  const rule = ruleOf(cuts ?? [], normalizer ?? [], model.ignore_merges === true)
  if (rule === null) throw refused('its tokenizer cuts words by a rule that llama.cpp has no name for')
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: rule },
    [NORMALIZER_KEY]: { type: 'string', value: (normalizer ?? []).map((one) => one.type).join() },
    'tokenizer.ggml.merges': {
      type: 'strings',
      value: model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
    },
  }
}

/** The name of a way to cut words; null for one that has none. */
function ruleOf(cuts: readonly Step[], normalizer: readonly Step[], wholeWords: boolean): string | null {
  const digits = cuts.some((one) => one.type === 'Digits' && one.individual_digits === true)
  const splits = cuts.filter((one) => one.type === 'Split')
  const bytes = cuts.find((one) => one.type === 'ByteLevel')
  if (bytes === undefined || splits.length > 1 || cuts.length !== splits.length + 1 + Number(digits)) return null
  if (normalizer.some((one) => one.type !== 'NFC')) return null
  const pattern = splits[0] === undefined ? (bytes.use_regex === false ? null : WORDS.gpt2) : splits[0].pattern?.Regex
  const found = Object.entries(CUTS).filter(
    ([, cut]) => WORDS[cut.words] === pattern && (cut.digits === true) === digits,
  )
  // A word that is a token is reached by merges too in every vocabulary that was trained so.
  const [name] = found.find(([, cut]) => (cut.wholeWords === true) === wholeWords) ?? found[0] ?? [null]
  return name
}

/** SentencePiece's BPE: a merge's place in the list is the score of what it makes. */
function byPieces({ model, normalizer }: TokenizerFile, tokens: readonly string[]): Record<string, GgufEntry> {
  const places = new Map<string, number>()
  for (const [at, merge] of model.merges.entries()) {
    const whole = typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')
    if (!places.has(whole)) places.set(whole, at)
  }
  const putsSpace = (normalizer ?? []).some((one) => one.type === 'Prepend')
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.pre': { type: 'string', value: 'default' },
    'tokenizer.ggml.scores': {
      type: 'float32s',
      value: tokens.map((token) => -(places.get(token) ?? model.merges.length)),
    },
    'tokenizer.ggml.add_space_prefix': { type: 'bool', value: putsSpace },
  }
}

export function refused(what: string): AppError {
  return new AppError({
    code: 'model-unsupported',
    message: `The model cannot be written as GGUF: ${what}.`,
    hint: 'Export it as a folder of safetensors.',
  })
}
