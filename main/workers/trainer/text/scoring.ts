import { toText, type Content } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { RewardSource } from '../../../../shared/run-spec.ts'
import { sequenceLength, tokenBatch, type ReferenceOf } from '../../../core/learn/batches.ts'
import { completionLogProbs, passes } from '../../../core/learn/completion-log-probs.ts'
import { markedLayout, openLanguage } from '../../../core/learn/tokens/language.ts'
import { encodeCompletion, type EncodedCompletion } from '../../../core/learn/tokens/encode-rows.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import { decoderConfigOf } from '../../../core/learn/models/hf-config.ts'
import { compilePattern, scoreCompletion } from '../../../core/learn/rewards.ts'
import { tf } from '../../../core/learn/tf.ts'
import { openModelFiles } from '../../../core/models/checkpoint-files.ts'
import { buildDecoder } from '../model.ts'
import { openRowCache, rowKey, type RowCache } from './row-cache.ts'
import type { Phase, RunContext } from '../run-context.ts'

async function scoreRows(
  decoder: Decoder,
  rows: readonly EncodedCompletion[],
  padId: number,
  breathe: () => Promise<void>,
): Promise<number[]> {
  const result: number[] = rows.map(() => 0)
  for (const pass of passes(rows)) {
    const tokens = tokenBatch(
      pass.map((index) => rows[index]!),
      padId,
    ) // indices of rows
    const scores = decoder.score(tokens)
    const values = await scores.data<'float32'>()
    values.forEach((score, at) => {
      result[pass[at]!] = score
    })
    tf.dispose([scores, tokens.ids, tokens.attention, tokens.completion])
    await breathe()
  }
  return result
}

export interface ReferenceOptions {
  readonly decoder: Decoder
  readonly weightsHash: string
  readonly rows: readonly EncodedCompletion[]
  readonly padId: number
}

/** Log-probs under the reference, computed once for each row of tokens and kept over runs that share the reference. */
export async function referenceLogProbs(
  context: RunContext,
  { decoder, weightsHash, rows, padId }: ReferenceOptions,
): Promise<ReferenceOf> {
  const cache = openRowCache(context.spec.cacheFolder, 'logprobs', weightsHash, context.engine)
  const known = new Map<EncodedCompletion, Float32Array>()
  const missing = withCache(rows, cache, (row, values) => known.set(row, values))
  const asked = context.dry ? longest(missing) : missing
  const report = progress(context, 'reference', passes(asked.map((entry) => entry.row)).length)
  const beganAtMs = performance.now()
  const computed = await completionLogProbs(
    decoder,
    asked.map((entry) => entry.row),
    padId,
    report,
  )
  if (context.dry) tellOfTheRest(context, missing, asked, performance.now() - beganAtMs)
  asked.forEach(({ row, key }, at) => {
    cache.set(key, computed[at]!) // as many as asked for
    known.set(row, computed[at]!)
  })
  cache.save()
  if (asked.length === missing.length) {
    const none = new Float32Array(0)
    return (row) => known.get(row) ?? none
  }
  const all = computed.flatMap((values) => [...values])
  const usual = all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length)
  return (row) => known.get(row) ?? new Float32Array(row.completion.length).fill(usual)
}

type Missing = readonly { readonly row: EncodedCompletion; readonly key: string }[]

/** Scored in a dry run. */
const DRY_TOKENS = 4096

/** The longest rows, which take the most memory, for a dry run: they tell how long the others would take. */
function longest(missing: Missing): Missing {
  const order = missing.toSorted((a, b) => sequenceLength(b.row) - sequenceLength(a.row))
  let tokens = 0
  return order.filter(({ row }, at) => {
    tokens += sequenceLength(row)
    return at === 0 || tokens <= DRY_TOKENS
  })
}

/** The time that a run will take beyond what the dry run did. */
function tellOfTheRest(context: RunContext, missing: Missing, done: Missing, tookMs: number): void {
  const tokens = (rows: Missing): number => rows.reduce((sum, { row }) => sum + sequenceLength(row), 0)
  const left = tokens(missing) - tokens(done)
  context.emit({ type: 'fact', facts: { setupLeftMs: left === 0 ? 0 : (tookMs * left) / tokens(done) } })
}

/** Rows that the cache does not have; for the others `found` is told. */
function withCache(
  rows: readonly EncodedCompletion[],
  cache: RowCache,
  found: (row: EncodedCompletion, values: Float32Array) => void,
): { readonly row: EncodedCompletion; readonly key: string }[] {
  return rows.flatMap((row) => {
    const key = rowKey(row)
    const values = cache.get(key)
    if (values === undefined) return [{ row, key }]
    found(row, values)
    return []
  })
}

function progress(context: RunContext, phase: Phase, total: number): () => Promise<void> {
  let done = 0
  let shownAtMs = -Infinity
  context.phase(phase, 0, total)
  return async () => {
    done += 1
    if (performance.now() - shownAtMs >= 500 || done === total) {
      shownAtMs = performance.now()
      context.phase(phase, done, total)
    }
    await context.breatheOrStop()
  }
}

/** What is to be scored, in the form in which the data holds it: a reward model reads it with tokens of its own. */
export interface ScoredText {
  readonly prompt: Content
  readonly completion: Content
}

/** What of a run a scorer needs to know. */
export interface ScoringContext extends Pick<RunContext, 'engine' | 'dry'> {
  readonly spec: Pick<RunContext['spec'], 'cacheFolder' | 'createdAtMs'> & {
    readonly training: Pick<RunContext['spec']['training'], 'maxLength'>
  }
}

/** Gives a number to a completion of a prompt. */
export interface Scorer {
  score(texts: readonly ScoredText[], breathe: () => Promise<void>): Promise<number[]>
  dispose(): void
}

/**
 * @param modelPath checkpoint folder, for a reward model
 * @throws AppError `spec-invalid` for a source that only rows of the data have
 */
export async function openScorer(
  context: ScoringContext,
  source: RewardSource,
  modelPath: string | null,
): Promise<Scorer> {
  if (source.kind === 'label' || source.kind === 'column') {
    throw new AppError({
      code: 'spec-invalid',
      message: `Generated text cannot be scored by ${source.kind === 'label' ? 'labels' : 'a column'}.`,
      hint: 'Choose a reward model, a length, keywords or a pattern.',
    })
  }
  if (source.kind !== 'reward-model') {
    if (source.kind === 'regex') compilePattern(source.pattern) // a broken pattern is better known now
    return {
      score: async (texts) => texts.map((text) => scoreCompletion(source, toText(text.completion)) ?? 0),
      dispose: () => undefined,
    }
  }
  if (modelPath === null)
    throw new AppError({
      code: 'spec-invalid',
      message: 'The reward model has no checkpoint.',
      hint: 'Choose a finished run of the method “reward model”.',
    })
  return openRewardModel(context, modelPath)
}

/** @param modelPath checkpoint folder   @throws AppError `spec-invalid` where it has no score head */
export async function openRewardModel(context: ScoringContext, modelPath: string): Promise<Scorer> {
  const files = await openModelFiles(modelPath)
  const layout = markedLayout(files.language.tokenizerConfig) ?? 'tags'
  const { tokenizer, format } = openLanguage(files.language, layout, new Date(context.spec.createdAtMs))
  const config = decoderConfigOf(files.config)
  if (!config.scoreHead)
    throw new AppError({
      code: 'spec-invalid',
      message: `${modelPath} is no reward model: its weights have no score head.`,
      hint: 'Choose a finished run of the method “reward model”.',
    })
  const decoder = buildDecoder({ config, source: files.source })
  files.close()
  const cache = openRowCache(context.spec.cacheFolder, 'score', files.hash, context.engine)
  return {
    async score(texts, breathe) {
      const rows = texts.map(({ prompt, completion }): EncodedCompletion =>
        encodeCompletion(format, prompt, completion, context.spec.training.maxLength),
      )
      const known = new Map<EncodedCompletion, number>()
      const missing = withCache(rows, cache, (row, values) => known.set(row, values[0] ?? 0))
      const asked = context.dry ? longest(missing) : missing
      const scores = await scoreRows(
        decoder,
        asked.map((entry) => entry.row),
        tokenizer.padId,
        breathe,
      )
      asked.forEach(({ row, key }, at) => {
        known.set(row, scores[at]!) // as many as asked for
        cache.set(key, Float32Array.of(scores[at]!))
      })
      cache.save()
      return rows.map((row, at) => known.get(row) ?? at % 2) // in a dry run the rest differ, as rewards do
    },
    dispose: () => decoder.dispose(),
  }
}
