import { answerTotals, groupTotals, pairTotals } from '../../core/learn/batch-totals.ts'
import { answerBatch, groupBatch, pairBatch, type EncodedGroup, type ReferenceOf } from '../../core/learn/batches.ts'
import type { Algorithm, AlgorithmPage, Batch, BatchTotals, Network, TokenBatch } from '../../core/learn/define.ts'
import type { EncodedAnswer, EncodedCompletion, EncodedPair } from '../../core/learn/tokens/encode-rows.ts'
import { lossMask } from '../../core/learn/ops.ts'
import { PADDING } from '../../core/learn/algorithms/plackett-luce.ts'
import type { RankingAlgorithm, RankingBatch } from '../../core/learn/ranking/ranking.ts'
import { isRankingAlgorithm, isTextAlgorithm } from '../../core/learn/registry.ts'
import { tf } from '../../core/learn/tf.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { caseNotCovered, covered, numberOf, out, type CheckResult, type Outputs } from './check.ts'
import { singleFor } from './compare.ts'
import { reader, type GoldenCase, type Reader } from './vectors.ts'

/*
 * A case that gives `params.config` is about a whole page: the settings go through the page's own schema, the inputs into
 * the batch that training would make of them, and what comes out of the page's own loss is compared. Nothing here knows a
 * method, so a new one needs no check of its own. What a case gives, by the page's kind of data (… is a list by token):
 *
 *   pairs      policy_chosen_token_logps [pair]…, policy_rejected_token_logps [pair]…, and where they differ from the
 *              default: ref_chosen_token_logps, ref_rejected_token_logps, preference (1), strength (1), weight (1),
 *              rewards [pair][chosen, rejected] (0), both_bad (0; 1: both answers are bad, and not compared);
 *              mismatched_{policy,ref}_{chosen,rejected}_token_logps for a page that asks for such rows
 *   answers    policy_answer_token_logps [answer]…, ref_answer_token_logps, good [answer], and for a page that asks for
 *              such rows mismatched_{policy,ref}_answer_token_logps
 *   groups     policy_token_logps [prompt][sample]…, ref_token_logps, rewards [prompt][sample], weight (1)
 *   rankings   scores [list][document], relevance [list][document]: the documents that an update reads
 *
 * and what may come out: `loss`, `metrics` by the page's names, `per_list` (rankings), and `grads` by the inputs' names.
 */
export async function checkPage(pages: readonly AlgorithmPage[], vector: GoldenCase): Promise<CheckResult> {
  const page = pageOf(pages, vector)
  const parsed = page.config.safeParse(vector.params['config'])
  if (!parsed.success)
    throw new AppError({
      code: 'input-invalid',
      message: `params.config: ${describeIssues(parsed.error)}`,
      hint: 'Check the file.',
    })
  const config = parsed.data
  if (isTextAlgorithm(page)) {
    if (vector.inputs['policy_answer_token_logps'] !== undefined) return checkAnswers(page, config, vector)
    return vector.inputs['policy_token_logps'] === undefined
      ? checkPairs(page, config, vector)
      : checkGroups(page, config, vector)
  }
  if (isRankingAlgorithm(page)) return checkLists(page, config, vector)
  return caseNotCovered(`${page.name} learns from ${page.data}, whose pages are checked function by function`)
}

/** Of several pages that name a file, the one that the case means. */
function pageOf(pages: readonly AlgorithmPage[], { params }: GoldenCase): AlgorithmPage {
  const meant = params['method'] === undefined ? pages : pages.filter(({ id }) => id === params['method'])
  if (meant.length === 1) return meant[0]!
  const names = pages.map(({ id }) => id).join(', ')
  throw new AppError({
    code: 'input-invalid',
    message: `params.method names none of the methods that name this file (${names})`,
    hint: 'Check the file.',
  })
}

/** The token before a completion, whose own log-prob is no part of it. */
const PROMPT = [0]

function completion(logProbs: readonly number[]): EncodedCompletion {
  return { prompt: PROMPT, completion: logProbs.map(() => 0), text: '' }
}

/** Reference log-probs of the very rows that they belong to; null where the case gives none. */
function referenceOf(
  rows: readonly EncodedCompletion[],
  given: readonly (readonly number[])[] | null,
): ReferenceOf | null {
  if (given === null) return null
  const known = new Map(rows.map((row, at) => [row, given[at]!]))
  return (row) => known.get(row) ?? []
}

async function checkPairs(page: Algorithm, config: unknown, vector: GoldenCase): Promise<CheckResult> {
  const inputs = reader(vector.inputs, 'inputs')
  const bothSides = (name: string): readonly [number[][], number[][]] => [
    inputs.matrix(`${name}_chosen_token_logps`),
    inputs.matrix(`${name}_rejected_token_logps`),
  ]
  const sides = bothSides('policy')
  const others = page.mismatched === true ? bothSides('mismatched_policy') : null
  const column = (name: string, usual = 1): number[] =>
    inputs.has(name) ? inputs.vector(name) : sides[0].map(() => usual)
  const [preference, strength, weight] = [column('preference'), column('strength'), column('weight')]
  const bothBad = column('both_bad', 0)
  const pairs = sides[0].map((chosen, at): EncodedPair => ({
    pairId: String(at),
    promptText: '',
    swapped: false,
    chosen: completion(chosen),
    rejected: completion(sides[1][at]!),
    preference: preference[at]!,
    strength: strength[at]!,
    weight: weight[at]!,
    ...(bothBad[at] === 1 ? { judged: { chosen: 0, rejected: 0 } } : {}),
    ...(others === null
      ? {}
      : { mismatched: { chosen: completion(others[0][at]!), rejected: completion(others[1][at]!) } }),
  }))
  const rewards = inputs.has('rewards')
    ? inputs.matrix('rewards').map(([chosen, rejected]) => ({ chosen: chosen!, rejected: rejected! }))
    : null
  const rows = (of: readonly Partial<Record<'chosen' | 'rejected', EncodedCompletion>>[]): EncodedCompletion[] =>
    (['chosen', 'rejected'] as const).flatMap((side) => of.flatMap((pair) => pair[side] ?? []))
  const reference = inputs.has('ref_chosen_token_logps')
    ? [...bothSides('ref'), ...(others === null ? [] : bothSides('mismatched_ref'))].flat()
    : null
  const all = [...rows(pairs), ...rows(pairs.flatMap((pair) => pair.mismatched ?? []))]
  const batch = pairBatch(pairs, 0, rewards, referenceOf(all, reference))
  const { outputs, gradient } = await runLoss(
    page,
    config,
    batch,
    pairTotals(pairs, page, config, rewards),
    sides.flat(),
    others?.flat(),
  )
  return found(vector, {
    ...outputs,
    'grads.policy_chosen_token_logps': gradient.slice(0, pairs.length),
    'grads.policy_rejected_token_logps': gradient.slice(pairs.length),
  })
}

async function checkAnswers(page: Algorithm, config: unknown, vector: GoldenCase): Promise<CheckResult> {
  const inputs = reader(vector.inputs, 'inputs')
  const logProbs = inputs.matrix('policy_answer_token_logps')
  const others = page.mismatched === true ? inputs.matrix('mismatched_policy_answer_token_logps') : null
  const good = inputs.vector('good')
  const answers = logProbs.map((row, at): EncodedAnswer => ({
    pairId: String(at),
    promptText: '',
    contents: { prompt: '', completion: '' },
    answer: completion(row),
    good: good[at]!,
    ...(others === null ? {} : { mismatched: completion(others[at]!) }),
  }))
  const reference = page.needsReference
    ? [
        ...inputs.matrix('ref_answer_token_logps'),
        ...(others === null ? [] : inputs.matrix('mismatched_ref_answer_token_logps')),
      ]
    : null
  const rows = [...answers.map(({ answer }) => answer), ...answers.flatMap(({ mismatched }) => mismatched ?? [])]
  const batch = answerBatch(answers, 0, referenceOf(rows, reference))
  const { outputs, gradient } = await runLoss(page, config, batch, answerTotals(answers), logProbs, others ?? [])
  return found(vector, { ...outputs, 'grads.policy_answer_token_logps': gradient })
}

async function checkGroups(page: Algorithm, config: unknown, vector: GoldenCase): Promise<CheckResult> {
  const inputs = reader(vector.inputs, 'inputs')
  const logProbs = inputs.cube('policy_token_logps')
  const rewards = inputs.matrix('rewards')
  const weight = inputs.has('weight') ? inputs.vector('weight') : logProbs.map(() => 1)
  const groups = logProbs.map((samples, at): EncodedGroup => ({
    promptText: String(at),
    completions: samples.map(completion),
    rewards: rewards[at]!,
    weight: weight[at]!,
  }))
  const size = Math.max(...logProbs.map((samples) => samples.length))
  const reference = referenceOf(
    groups.flatMap(({ completions }) => completions),
    inputs.has('ref_token_logps') ? inputs.cube('ref_token_logps').flat() : null,
  )
  const padded = logProbs.flatMap((samples) => Array.from({ length: size }, (_none, at) => samples[at] ?? []))
  const { outputs, gradient } = await runLoss(
    page,
    config,
    groupBatch(groups, size, 0, reference),
    groupTotals(groups),
    padded,
  )
  return found(vector, {
    ...outputs,
    'grads.policy_token_logps': logProbs.map((samples, at) => gradient.slice(at * size, at * size + samples.length)),
  })
}

/** The page's loss and metrics on a batch, and the gradient with respect to each row's token log-probs. */
async function runLoss(
  page: Algorithm,
  config: unknown,
  batch: Batch,
  totals: BatchTotals,
  logProbs: readonly (readonly number[])[],
  mismatched: readonly (readonly number[])[] = [],
): Promise<{ readonly outputs: Outputs; readonly gradient: number[][] }> {
  const padded = (rows: readonly (readonly number[])[], tokens: TokenBatch): tf.Tensor2D =>
    tf.tensor2d(rows.map((row) => Array.from({ length: tokens.ids.shape[1] - 1 }, (_none, at) => row[at] ?? 0)))
  const values = padded(logProbs, batch.tokens)
  const networkOf = (x: tf.Tensor): Network => ({
    tokenLogProbs: (tokens) =>
      tf.mul(tokens === batch.tokens ? x : padded(mismatched, tokens), lossMask(tokens)) as tf.Tensor2D,
    score: () => {
      throw new AppError({
        code: 'input-invalid',
        message: `${page.name} scores completions, and a case gives log-probs`,
        hint: 'Check the file.',
      })
    },
  })
  const network = networkOf(values)
  const known =
    page.before === undefined
      ? totals
      : { ...totals, before: await numberOf(page.before({ network, batch, totals, config })) }
  const { value, grad } = tf.valueAndGrad(
    (x) => page.loss({ network: networkOf(x), batch, totals: known, config }).loss,
  )(values)
  const { metrics } = page.loss({ network, batch, totals: known, config, evaluating: true })
  const rows = (await grad.array()) as number[][] // of the shape of `values`
  return {
    outputs: {
      loss: out(value),
      ...Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [`metrics.${name}`, numberOf(metric)])),
    },
    gradient: rows.map((row, at) => row.slice(0, logProbs[at]!.length)),
  }
}

async function checkLists(page: RankingAlgorithm, config: unknown, vector: GoldenCase): Promise<CheckResult> {
  if (page.prepare !== undefined) return caseNotCovered(`${page.name} draws rankings, and a case cannot give them`)
  const inputs: Reader = reader(vector.inputs, 'inputs')
  const scores = inputs.matrix('scores')
  const relevance = inputs.matrix('relevance')
  const starts = scores.map((_row, at) => scores.slice(0, at).reduce((sum, row) => sum + row.length, 0))
  const batch: RankingBatch = {
    lists: scores.map((row, at) => ({
      documents: row.map((_score, place) => starts[at]! + place),
      relevance: relevance[at]!,
      unlisted: [],
    })),
    gradeOf: (list, document) => relevance[list]![document - starts[list]!] ?? 0,
  }
  const longest = Math.max(...scores.map((row) => row.length))
  const padded = tf.tensor2d(scores.map((row) => Array.from({ length: longest }, (_none, at) => row[at] ?? PADDING)))
  const perList = (x: tf.Tensor): tf.Tensor1D => page.loss({ own: x as tf.Tensor2D, all: null }, batch, config, null)
  const { value, grad } = tf.valueAndGrad((x) => tf.mean(perList(x)))(padded)
  const gradient = (await grad.array()) as number[][] // of the shape of `padded`
  return found(vector, {
    loss: out(value),
    per_list: out(perList(padded)),
    'grads.scores': gradient.map((row, at) => row.slice(0, scores[at]!.length)),
  })
}

function found(vector: GoldenCase, actual: Outputs): CheckResult {
  return { outputs: covered(singleFor(vector.tags), actual), notCovered: [] }
}
