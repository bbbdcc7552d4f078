// What a method that learns from texts says about itself, and what it is given: to update by, and to be measured with.
import type { BatchParts } from '../batch-totals.ts'
import type { AlgorithmPage, BatchTotals, GroupBatch, LossResult } from '../define.ts'
import type { Decoder } from '../models/decoder.ts'
import type { Random } from '../random.ts'
import type { BatchSizes, TrainingLoad } from '../training-load.ts'
import type { TextFormat } from '../tokens/text-format.ts'
import type { Tokenizer } from '../tokens/tokenizer.ts'
import { embedSpanValues, plainPrompt, spanOf, type SpanRow } from './rationale.ts'
import type { tf } from '../tf.ts'

/** One thing that a batch is made of: a query with what belongs to it, or a text. */
export interface ContrastItem {
  readonly id: string
  /** The text itself where there is no query. */
  readonly query: string
  /** Null: a text alone. */
  readonly positive: string | null
  readonly negatives: readonly string[]
}

export interface ContrastContext<C> {
  readonly config: C
  readonly decoder: Decoder
  readonly tokenizer: Tokenizer
  /** How the model is spoken to. */
  readonly format: TextFormat
  /** Longest sequence in tokens. */
  readonly maxLength: number
  /** By what is drawn; the same name and weights draw the same. In an update it follows from the step as well. */
  random(label: string): Random
  /** Lets the process answer in between. @param done of the texts, where it is known */
  breathe(done?: number): Promise<void>
}

export interface ContrastStep<C> extends ContrastContext<C> {
  /** All with a positive and as many negatives, or all without. */
  readonly items: readonly ContrastItem[]
  /** Pairs of rows that go through the model at once. */
  readonly microBatchSize: number
  /** One update by the sum of the parts' gradients, with dropout as the run has it. → its metrics as numbers */
  minimizeParts(
    parts: BatchParts<GroupBatch>,
    loss: (batch: GroupBatch, totals: BatchTotals) => LossResult,
  ): Promise<Readonly<Record<string, number>>>
  /** The same of a loss that needs the vectors of the whole batch: of these pieces, end to end. Each piece drops out on its own, the same each time. */
  minimizeVectors(
    pieces: readonly (readonly SpanRow[])[],
    loss: (vectors: tf.Tensor2D) => LossResult,
  ): Promise<Readonly<Record<string, number>>>
}

export interface ContrastUpdate {
  readonly metrics: Readonly<Record<string, number>>
  /** Tokens that went through the model. */
  readonly tokens: number
}

/** Something written about an item, with what it is worth. */
export interface WrittenText {
  readonly item: ContrastItem
  readonly tokens: readonly number[]
  readonly reward: number
  readonly parts: Readonly<Record<string, number>>
}

/** A method that learns from `contrast-groups`: queries with texts that belong to them and texts that do not, or texts alone. */
export interface ContrastMethod<C = unknown> extends AlgorithmPage<C> {
  readonly data: 'contrast-groups'
  /** Texts alone, or queries with a positive and at most so many negatives. */
  learnsFrom(config: C): 'texts' | { readonly negatives: number }
  /** What goes through the model at once, at most. */
  load(config: C, training: BatchSizes): TrainingLoad
  update(step: ContrastStep<C>): Promise<ContrastUpdate>
  /** The vector of each held-out text, by which the method is measured; dropout off. */
  embed(context: ContrastContext<C>, texts: readonly string[]): Promise<readonly Float32Array[]>
  /** What held-out texts say of it beside their vectors, by name as declared. */
  measure?(context: ContrastContext<C>, texts: readonly string[]): Promise<Readonly<Record<string, number>>>
  /** What it writes about held-out items; only of a method that writes. */
  write?(context: ContrastContext<C>, items: readonly ContrastItem[]): Promise<readonly WrittenText[]>
}

/** Identity that infers the config type. */
export function defineContrastMethod<C>(method: ContrastMethod<C>): ContrastMethod<C> {
  return method
}

/** The mean of the last hidden states over each text, without anything written about it. */
export function embedPlain(
  { decoder, tokenizer, format, maxLength, breathe }: Omit<ContrastContext<unknown>, 'config'>,
  texts: readonly string[],
): Promise<readonly Float32Array[]> {
  return embedSpanValues(
    decoder,
    texts.map((text) => spanOf(plainPrompt(tokenizer, format, text, maxLength), [], 'after-system')),
    breathe,
  )
}
