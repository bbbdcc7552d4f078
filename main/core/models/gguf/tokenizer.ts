// The vocabulary of a GGUF file as the files of the Hugging Face libraries: tokenizer.json and what lies beside it.
import type { GgufHeader, GgufValue } from './header.ts'
import { bpeModel } from '../../learn/tokens/bpe-trainer.ts'
import { LAYOUT_MARK } from '../../learn/tokens/language.ts'
import { CONTROL, CUTS, LAYOUT_KEY, NORMALIZER_KEY, UNKNOWN, USER_DEFINED, WORDS } from './cuts.ts'
import { refuse } from './architecture.ts'

/** Vocabulary and kinds of tokens, as the file lists them. */
interface Vocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
  /** Of every token, best first where it is higher; of the `llama` kind alone. */
  readonly scores: readonly number[]
  readonly merges: readonly string[]
}

/** tokenizer.json; null where the file has no vocabulary. @throws AppError `model-unsupported` for a kind that is not read */
export function ggufTokenizer(header: GgufHeader): Record<string, unknown> | null {
  const kind = header.metadata.get('tokenizer.ggml.model')
  if (kind === undefined || kind === 'none' || kind === 'no_vocab') return null
  const vocabulary: Vocabulary = {
    tokens: listOf(header, 'tokens', isText),
    types: listOf(header, 'token_type', isNumber),
    scores: listOf(header, 'scores', isNumber),
    merges: listOf(header, 'merges', isText),
  }
  if (vocabulary.tokens.length === 0) throw refuse(header, 'its vocabulary is empty', 'Fetch another conversion.')
  const common = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    post_processor: beginning(header, vocabulary),
  }
  if (kind === 'gpt2') return { ...common, ...byBytes(header, vocabulary) }
  if (kind === 'llama') return { ...common, ...byPieces(header, vocabulary) }
  throw refuse(
    header,
    `its tokenizer is of the kind "${String(kind)}"`,
    'Vocabularies of the kinds gpt2 (byte-level BPE) and llama (SentencePiece BPE) are read.',
  )
}

/** tokenizer_config.json: names of special tokens, for the chat template. */
export function ggufTokenizerConfig(header: GgufHeader): Record<string, unknown> {
  const tokens = listOf(header, 'tokens', isText)
  const layout = header.metadata.get(LAYOUT_KEY)
  const named = (key: string, name: string): Record<string, string> => {
    const id = header.metadata.get(`tokenizer.ggml.${key}_token_id`)
    const token = typeof id === 'number' ? tokens[id] : undefined
    return token === undefined ? {} : { [`${name}_token`]: token }
  }
  return {
    ...named('bos', 'bos'),
    ...named('eos', 'eos'),
    ...named('unknown', 'unk'),
    ...named('padding', 'pad'),
    add_bos_token: putsBeginning(header),
    ...(typeof layout === 'string' ? { [LAYOUT_MARK]: layout } : {}),
  }
}

export function ggufChatTemplate({ metadata }: GgufHeader): string | null {
  const template = metadata.get('tokenizer.chat_template')
  return typeof template === 'string' && template !== '' ? template : null
}

/** Byte-level BPE with its merges. */
function byBytes(header: GgufHeader, { tokens, merges }: Vocabulary): Record<string, unknown> {
  const said = header.metadata.get('tokenizer.ggml.pre') ?? 'default'
  const cut = CUTS[String(said)]
  if (cut === undefined)
    throw refuse(
      header,
      `its tokenizer cuts words by the rule "${String(said)}"`,
      `The rules ${Object.keys(CUTS).join(', ')} are known. With another the text would be cut otherwise than the model has learned.`,
    )
  const normalizer = header.metadata.get(NORMALIZER_KEY) ?? cut.normalizer ?? ''
  return {
    normalizer: normalizer === 'NFC' ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...(cut.digits === true ? [{ type: 'Digits', individual_digits: true }] : []),
        { type: 'Split', pattern: { Regex: WORDS[cut.words] }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: bpeModel(tokens, merges, { ignore_merges: cut.wholeWords === true }),
  }
}

/** SentencePiece's BPE: spaces are ▁, letters it does not know are bytes. */
function byPieces(header: GgufHeader, vocabulary: Vocabulary): Record<string, unknown> {
  const { tokens, types, scores } = vocabulary
  if (scores.length !== tokens.length)
    throw refuse(header, `it has ${scores.length} scores for ${tokens.length} tokens`, 'Fetch another conversion.')
  const putsSpace = header.metadata.get('tokenizer.ggml.add_space_prefix') !== false
  const unknown = tokens.find((_token, id) => types[id] === UNKNOWN)
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(putsSpace ? [{ type: 'Prepend', prepend: '▁' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(putsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: bpeModel(tokens, mergesOf(vocabulary), {
      byte_fallback: true,
      fuse_unk: true,
      ...(unknown === undefined ? {} : { unk_token: unknown }),
    }),
  }
}

/** SentencePiece merges the pair whose whole has the best score: every way to put a token together, best first. */
function mergesOf({ tokens, types, scores }: Vocabulary): string[] {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const found: { readonly left: string; readonly right: string; readonly score: number }[] = []
  for (const [id, token] of tokens.entries()) {
    if (types[id] !== undefined && types[id] !== 1 && types[id] !== USER_DEFINED) continue // bytes and controls are no text
    const own: { left: string; right: string; order: number }[] = []
    const letters = [...token]
    for (let at = 1; at < letters.length; at += 1) {
      const [left, right] = [letters.slice(0, at).join(''), letters.slice(at).join('')]
      const [first, second] = [ids.get(left), ids.get(right)]
      if (first !== undefined && second !== undefined) own.push({ left, right, order: first })
    }
    for (const { left, right } of own.toSorted((a, b) => a.order - b.order))
      found.push({ left, right, score: scores[id]! })
  }
  return found.toSorted((a, b) => b.score - a.score).map(({ left, right }) => `${left} ${right}`) // stable: in the order of the vocabulary
}

function addedTokens({ tokens, types }: Vocabulary): object[] {
  return tokens.flatMap((content, id) =>
    types[id] === CONTROL || types[id] === USER_DEFINED || types[id] === UNKNOWN
      ? [
          {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: types[id] !== USER_DEFINED,
          },
        ]
      : [],
  )
}

/** SentencePiece vocabularies and Llama 3's begin a text with their own token unless the file says otherwise. */
function putsBeginning({ metadata }: GgufHeader): boolean {
  const said = metadata.get('tokenizer.ggml.add_bos_token')
  if (typeof said === 'boolean') return said
  const pre = String(metadata.get('tokenizer.ggml.pre') ?? '')
  return metadata.get('tokenizer.ggml.model') === 'llama' || CUTS[pre]?.words === 'llama3' || pre === 'tekken'
}

function beginning(header: GgufHeader, { tokens }: Vocabulary): object | null {
  const id = header.metadata.get('tokenizer.ggml.bos_token_id')
  const token = typeof id === 'number' ? tokens[id] : undefined
  if (!putsBeginning(header) || token === undefined) return null
  const [first, text] = [
    { SpecialToken: { id: token, type_id: 0 } },
    (name: string) => ({ Sequence: { id: name, type_id: 0 } }),
  ]
  return {
    type: 'TemplateProcessing',
    single: [first, text('A')],
    pair: [first, text('A'), first, text('B')],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  }
}

function listOf<T extends GgufValue>(
  header: GgufHeader,
  name: string,
  is: (value: GgufValue) => value is T,
): readonly T[] {
  const list = header.metadata.get(`tokenizer.ggml.${name}`)
  if (list === undefined) return []
  if (Array.isArray(list) && (list as readonly GgufValue[]).every(is)) return list as unknown as readonly T[]
  throw refuse(header, `tokenizer.ggml.${name} is no list of its kind`, 'The file is damaged; fetch it again.')
}

function isText(value: GgufValue): value is string {
  return typeof value === 'string'
}

function isNumber(value: GgufValue): value is number {
  return typeof value === 'number'
}
