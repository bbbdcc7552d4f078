import type { BatchPlan } from '../../../core/learn/batch-plan.ts'
import { mainMetricOn } from '../../../core/learn/define.ts'
import type { ContrastContext, ContrastItem, ContrastMethod } from '../../../core/learn/embed/contrast.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import type { Optimizer } from '../../../core/learn/optimizer.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { findContrastMethod } from '../../../core/learn/registry.ts'
import type { LanguageFiles } from '../../../core/learn/tokens/language.ts'
import type { TextFormat } from '../../../core/learn/tokens/text-format.ts'
import type { Tokenizer } from '../../../core/learn/tokens/tokenizer.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { SplitName } from '../../../../shared/data-kinds.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import { readContrastView, textItems, textsOfSide, tripleItems, type ContrastSide } from './contrast-data.ts'
import type { RunContext } from '../run-context.ts'
import { openDecoder, openOptimizer, openOrigin, openSpoken, type AdapterBase } from '../origin.ts'
import { parseConfig } from '../parse-config.ts'
import { openPlan } from '../open-plan.ts'

export interface ContrastSession {
  readonly context: RunContext
  readonly method: ContrastMethod
  readonly config: unknown
  readonly tokenizer: Tokenizer
  readonly format: TextFormat
  /** What checkpoints keep of how the model is spoken to. */
  readonly language: LanguageFiles
  readonly decoder: Decoder
  readonly optimizer: Optimizer
  readonly base: AdapterBase | null
  readonly sides: Readonly<Record<SplitName, ContrastSide>>
  /** Of the training side, all with a positive or all without. */
  readonly items: readonly ContrastItem[]
  /** Tokens of each item, roughly: what the plan orders. */
  readonly lengths: readonly number[]
  readonly plan: BatchPlan
}

/** @throws AppError, StopRequest */
export async function openContrastSession(context: RunContext, from: Checkpoint | null): Promise<ContrastSession> {
  const { spec } = context
  context.phase('loading')
  const page = findContrastMethod(spec.method)
  const config = parseConfig(page, spec.config)
  const method = { ...page, mainMetric: mainMetricOn(page, page.data, config, spec.training) }
  const sides = await readContrastView(spec.data.viewPath, spec.data.viewHash)
  const items = itemsOf(method, config, sides.train)
  const origin = await openOrigin(context, method)
  const { tokenizer, format, language } = openSpoken(context, origin, from, textsOfSide(sides.train))
  await context.breatheOrStop()
  const { decoder, base } = openDecoder(context, origin, tokenizer, from)
  const optimizer = openOptimizer(spec.training, decoder, from)
  const lengths = items.map((item) =>
    [item.query, item.positive ?? '', ...item.negatives].reduce(
      (sum, text) => sum + Math.min(spec.training.maxLength, Math.ceil(text.length / 3)),
      0,
    ),
  )
  const plan = openPlan(lengths, spec, from, true)
  context.emit({
    type: 'fact',
    facts: {
      methodName: method.name,
      pretrained: spec.pretrained,
      mainMetric: method.mainMetric,
      parameterCount: decoder.parameterCount,
      vocabSize: tokenizer.vocabSize,
      trainItems: items.length,
      validationPairs: sides.validation.triples.length,
      testPairs: sides.test.triples.length,
    },
  })
  return {
    context,
    method,
    config,
    tokenizer,
    format,
    language,
    decoder,
    optimizer,
    base,
    sides,
    items,
    lengths,
    plan,
  }
}

/** What the method is given wherever it computes. @param step of an update, from which its random numbers follow */
export function methodContext(
  { context, config, decoder, tokenizer, format }: ContrastSession,
  step: number | null = null,
): ContrastContext<unknown> {
  const { seed, training } = context.spec
  return {
    config,
    decoder,
    tokenizer,
    format,
    maxLength: training.maxLength,
    random: (label) =>
      step === null ? createRandom(seed).fork(label) : createRandom(seed).fork(label).fork(String(step)),
    breathe: () => context.breathe(),
  }
}

/** What the method takes of the training side. @throws AppError `dataset-invalid` when that is nothing */
function itemsOf(method: ContrastMethod, config: unknown, side: ContrastSide): ContrastItem[] {
  const wanted = method.learnsFrom(config)
  if (wanted === 'texts') {
    const texts = textItems(side)
    if (texts.length === 0)
      throw new AppError({
        code: 'dataset-invalid',
        message: 'The training side has no text.',
        hint: 'Scored pairs are for evaluation alone: import texts, or queries with positives.',
      })
    return texts
  }
  if (side.triples.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'The training side has no query with a positive.',
      hint: 'Import lines with query and positive, or set supervision to none.',
    })
  return tripleItems(side.triples, Math.min(wanted.negatives, ...side.triples.map((one) => one.negatives.length)))
}
