// How a model is spoken to: the one way in which prompts and completions become its tokens, in training, in what it
// writes, in what is measured and in the Playground.
import type { Content } from '../../../../shared/data-kinds.ts'
import type { TextLayout } from '../../../../shared/text-layouts.ts'

/** A prompt and a completion as tokens, together no longer than asked for. */
export interface EncodedRow {
  readonly prompt: readonly number[]
  /** Ends with the token that ends a completion, unless it was cut. */
  readonly completion: readonly number[]
  /** 1 for each completion token that is learned; null: all of them. */
  readonly trained: Uint8Array | null
  readonly wasCut: boolean
}

/** A text that the model is asked about, as the tokens before its answer. */
export interface AskedText {
  readonly ids: readonly number[]
  /** Tokens before the text begins. */
  readonly systemTokens: number
}

export interface TextFormat {
  readonly layout: TextLayout
  /** What stands before a text that is nobody's turn: a beginning-of-text token, or nothing. */
  readonly opening: readonly number[]
  /**
   * The tokens after which the model writes, at least one and at most `room`. Where they are too many the oldest turns
   * go first, then the beginning of the last turn's text; what the layout itself writes stays whole.
   * @throws AppError `spec-invalid` where the layout alone takes more than `room`
   */
  prompt(prompt: Content, room?: number): readonly number[]
  /**
   * What is trained on: prompt and completion of at most `maxLength` tokens together. A completion is cut at its end and
   * gets at least half the room; its end token goes with the end it stood for.
   * @throws AppError `spec-invalid` where the layout alone takes more
   */
  row(prompt: Content, completion: Content, maxLength: number): EncodedRow
  /** What the model wrote after this prompt, in the form in which the data holds completions: text, or turns. */
  written(text: string, prompt: Content): Content
  /** A system prompt and a text, cut at its end, as the tokens before the answer: at most `room`. */
  asked(system: string, text: string, room: number): AskedText
}

/** Room for a prompt is at least this, however long the completion may be. */
const SHORTEST_PROMPT = 8

/** Tokens that a prompt may take beside a completion of so many. */
export function promptRoom({ layout }: TextFormat, maxLength: number, maxTokens: number): number {
  // A template stays whole, which takes more than the text of a few words.
  return Math.max(layout === 'template' ? Math.ceil(maxLength / 2) : SHORTEST_PROMPT, maxLength - maxTokens)
}
