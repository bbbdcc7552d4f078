import { BertNormalizer } from '@huggingface/tokenizers'

/**
 * BERT's normalizer as the Python `tokenizers` library has it. The JavaScript library's differs in three ways that
 * change ids: it does not set rare Chinese characters (above U+FFFF) apart, it lowercases before it strips accents, and
 * it lowercases words where the other lowercases letters (a final Σ becomes ς and not σ).
 */
export class ExactBertNormalizer extends BertNormalizer {
  override normalize(text: string): string {
    const {
      clean_text: clean,
      handle_chinese_chars: apart,
      lowercase,
      strip_accents: strip,
    } = this.config as {
      readonly clean_text?: boolean
      readonly handle_chinese_chars?: boolean
      readonly lowercase?: boolean
      readonly strip_accents?: boolean | null
    }
    let result = clean === false ? text : cleaned(text)
    if (apart !== false) result = result.replace(CHINESE, ' $& ')
    if (strip ?? lowercase === true) result = result.normalize('NFD').replace(/\p{Mn}/gu, '')
    return lowercase === true ? Array.from(result, (letter) => letter.toLowerCase()).join('') : result
  }
}

/** Without control characters and U+FFFD, and with every white space a space. */
function cleaned(text: string): string {
  return text
    .replace(/[\t\n\r]/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu, '')
    .replace(/\s/gu, ' ')
}

/** The blocks that the original program lists; U+2B920 where the block begins at U+2B820 is its own. */
const CHINESE =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu
