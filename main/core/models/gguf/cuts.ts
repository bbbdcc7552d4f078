// What a vocabulary in a GGUF file says by numbers and names.

/** Ours: the layout that the weights were trained in. Other programs pass over keys that they do not know. */
export const LAYOUT_KEY = 'pairlab.layout'

/** Ours: how text is normalized before it is cut, `NFC` or nothing, which llama.cpp has no key for and does not do. */
export const NORMALIZER_KEY = 'pairlab.normalizer'

/** Kinds of tokens in `tokenizer.ggml.token_type`; 1 is an ordinary one. */
export const UNKNOWN = 2
export const CONTROL = 3
export const USER_DEFINED = 4
/** A row of the embedding that no text comes to. */
export const UNUSED = 5
export const BYTE = 6

/** How words are cut before they are merged, by `tokenizer.ggml.pre`; the patterns are those of the models' own tokenizers. */
export const WORDS = {
  gpt2: "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  /** Llama 3: up to three digits at a time. */
  llama3:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  /** Qwen2 and after: digits one by one. */
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  /** Mistral's since Nemo: words end where lower case goes over to upper. */
  tekken:
    '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
} as const

export interface Cut {
  readonly words: keyof typeof WORDS
  /** Digits one by one, before anything else. */
  readonly digits?: true
  readonly normalizer?: string
  /** A word that is a token as it stands is not merged together from its letters. */
  readonly wholeWords?: true
}

export const CUTS: Readonly<Record<string, Cut>> = {
  default: { words: 'gpt2' },
  'gpt-2': { words: 'gpt2' },
  smollm: { words: 'gpt2', digits: true },
  'llama-bpe': { words: 'llama3', wholeWords: true },
  llama3: { words: 'llama3', wholeWords: true },
  'llama-v3': { words: 'llama3', wholeWords: true },
  'smaug-bpe': { words: 'llama3', wholeWords: true },
  qwen2: { words: 'qwen2', normalizer: 'NFC' },
  'deepseek-r1-qwen': { words: 'qwen2', normalizer: 'NFC' },
  tekken: { words: 'tekken', wholeWords: true },
}
