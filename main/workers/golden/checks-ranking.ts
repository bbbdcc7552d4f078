import { contrastLogits, diagonalCrossEntropy } from '../../core/learn/algorithms/infonce.ts'
import {
  graceAdvantages,
  graceLoss,
  graceRewards,
  graceSelfRewards,
  meanPool,
  poolMask,
} from '../../core/learn/embed/grace-rewards.ts'
import { listMleLoss, listNetLoss, rankNetLoss, softmaxCrossEntropy } from '../../core/learn/algorithms/listwise.ts'
import {
  leaveOneOut,
  leaveOneOutTails,
  pgRankLoss,
  rankingUtilities,
  tailUtilities,
} from '../../core/learn/algorithms/pg-rank.ts'
import { exactUtility } from '../../core/learn/ranking/ranking-exact.ts'
import { gumbel, gumbelRanking, placementLogProbs } from '../../core/learn/algorithms/plackett-luce.ts'
import { bm25Tokens, createBm25Index } from '../../core/learn/ranking/bm25.ts'
import { normalizeRows } from '../../core/learn/ops.ts'
import { measureRanking, rankByScore, type Gain } from '../../core/learn/ranking/ranking-metrics.ts'
import { tf } from '../../core/learn/tf.ts'
import { averageRanks, kendallTauB, pearson, spearman } from '../../../shared/statistics/correlation.ts'
import { bradleyTerry, eloRatings, eloScale, winMatrix, type Game } from '../../../shared/statistics/ratings.ts'
import { covered, out, type Check, type Outputs } from './check.ts'
import { DOUBLE, EXACT, SINGLE, singleFor } from './compare.ts'
import { reader } from './vectors.ts'

const checkPlackettLuce: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const k = reader(vector.params, 'params').number('k')
  if (inputs.has('uniform')) {
    const uniforms = inputs.matrix('uniform')
    return {
      outputs: [
        ...covered(DOUBLE, { gumbel: uniforms.map((row) => row.map(gumbel)) }),
        ...covered(EXACT, { rankings: uniforms.map((row) => gumbelRanking(inputs.vector('scores'), row)) }),
      ],
      notCovered: [],
    }
  }
  // The policy does not change when all scores are shifted; near 1,000 float32 would lose the fourth decimal.
  const given = inputs.vector('scores')
  const scores = tf.tensor1d(given.map((score) => score - Math.max(...given)))
  const ranking = inputs.vector('permutation')
  const steps = (x: tf.Tensor): tf.Tensor2D => placementLogProbs(x as tf.Tensor1D, [ranking], k)
  const total = tf.sum(steps(scores))
  return {
    outputs: covered(singleFor(vector.tags), {
      step_logps: out(tf.reshape(steps(scores), [-1])),
      logp: out(total),
      prob: out(tf.exp(total)),
      'grads.scores': out(tf.grad((x) => tf.sum(steps(x)))(scores)),
    }),
    notCovered: [],
  }
}

const checkPgRank: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const k = params.number('k')
  const gain = params.text('gain') as Gain // named as ours are
  const rankings = inputs.matrix('rankings')
  const relevance = inputs.vector('relevance')
  const scores = tf.tensor1d(inputs.vector('scores'))
  const utilities = rankingUtilities(rankings, relevance, k, gain)
  const tails = tailUtilities(rankings, relevance, k, gain)
  const advantages = leaveOneOut(utilities)
  const tailAdvantages = leaveOneOutTails(tails)
  const whole = (x: tf.Tensor): tf.Scalar => pgRankLoss(x as tf.Tensor1D, rankings, advantages, k)
  const toGo = (x: tf.Tensor): tf.Scalar => pgRankLoss(x as tf.Tensor1D, rankings, tailAdvantages, k)
  const actual: Record<string, Outputs[string]> = {
    logps: out(tf.sum(placementLogProbs(scores, rankings, k), 1)),
    loss: out(whole(scores)),
    grad_scores: out(tf.grad(whole)(scores)),
    loss_reward_to_go: out(toGo(scores)),
    grad_scores_reward_to_go: out(tf.grad(toGo)(scores)),
  }
  if (vector.outputs['exact_expected_utility'] !== undefined) {
    const exact = (x: tf.Tensor): tf.Scalar => exactUtility(x as tf.Tensor1D, relevance, k, gain)
    actual['exact_expected_utility'] = out(exact(scores))
    actual['exact_grad_scores'] = out(tf.grad(exact)(scores))
  }
  return {
    outputs: [
      ...covered(SINGLE, actual),
      ...covered(DOUBLE, { utilities, advantages, tail_utilities: tails, tail_advantages: tailAdvantages }),
    ],
    notCovered: [],
  }
}

const checkListwise: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const scores = tf.tensor1d(inputs.vector('scores'))
  const relevance = inputs.vector('relevance')
  const losses = {
    softmax_ce: softmaxCrossEntropy,
    listnet_top1: listNetLoss,
    ranknet: rankNetLoss,
    listmle_stable_ideal_order: listMleLoss,
  }
  const actual = Object.fromEntries(
    Object.entries(losses).flatMap(([name, loss]) => [
      [name, out(loss(scores, relevance))],
      [`grads.${name}`, out(tf.grad((x) => loss(x as tf.Tensor1D, relevance))(scores))],
    ]),
  )
  return { outputs: covered(singleFor(vector.tags), actual), notCovered: [] }
}

const checkRankingMetrics: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const ids = vector.inputs['doc_ids'] as readonly string[]
  const relevance = inputs.vector('relevance')
  const unretrieved = inputs.vector('unretrieved_relevance')
  const order = rankByScore(inputs.vector('scores'), ids)
  const ranked = order.map((index) => relevance[index]!)
  const actual: Record<string, Outputs[string]> = {
    order: order.map((index) => ids[index]!),
    has_relevant: [...relevance, ...unretrieved].some((value) => value > 0),
  }
  for (const k of [1, 3, 5, 10, 100]) {
    const at = measureRanking(ranked, unretrieved, k)
    const named = {
      dcg_linear: at.dcgLinear,
      ndcg_linear: at.ndcgLinear,
      dcg_exp: at.dcgExp,
      ndcg_exp: at.ndcgExp,
      precision: at.precision,
      recall: at.recall,
      hit: at.hit,
      mrr: at.mrr,
      map: at.map,
      map_truncated_denominator: at.mapTruncated,
    }
    for (const [name, value] of Object.entries(named)) actual[`${name}@${k}`] = value
  }
  return { outputs: covered(DOUBLE, actual), notCovered: [] }
}

const checkBm25: Check = (vector) => {
  const params = reader(vector.params, 'params')
  const documents = (vector.inputs['documents'] as readonly string[]).map(bm25Tokens)
  const query = bm25Tokens(reader(vector.inputs, 'inputs').text('query'))
  const index = createBm25Index(documents)
  const options = { k1: params.number('k1'), b: params.number('b') }
  return {
    outputs: covered(DOUBLE, {
      tokens: query,
      document_lengths: index.lengths,
      average_length: index.averageLength,
      scores_lucene: [...index.score(query, options)],
      scores_robertson: [...index.score(query, { ...options, idf: 'robertson' })],
      scores_lucene_without_k1_plus_1: [...index.score(query, { ...options, scaled: false })],
    }),
    notCovered: [],
  }
}

const checkInfoNce: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const hard = inputs.has('hard_negatives') ? tf.tensor3d(inputs.cube('hard_negatives')) : null
  const excluded = tf.tensor2d(inputs.matrix('exclude_mask'))
  const symmetric = vector.params['symmetric'] === true
  const options = {
    temperature: params.number('temperature'),
    similarity: params.text('similarity') as 'cosine' | 'dot',
    hardNegatives: params.text('hard_negatives_scope') as 'own' | 'all',
  } // named as ours are
  const logits = (q: tf.Tensor, p: tf.Tensor, n: tf.Tensor | null): tf.Tensor2D =>
    contrastLogits(q as tf.Tensor2D, p as tf.Tensor2D, n as tf.Tensor3D | null, excluded, options)
  const byColumn = (q: tf.Tensor, p: tf.Tensor): tf.Tensor1D =>
    diagonalCrossEntropy(contrastLogits(p as tf.Tensor2D, q as tf.Tensor2D, null, tf.transpose(excluded), options))
  const loss = (q: tf.Tensor, p: tf.Tensor, n: tf.Tensor | null): tf.Tensor => {
    const rows = tf.mean(diagonalCrossEntropy(logits(q, p, n)))
    return symmetric ? tf.mul(tf.add(rows, tf.mean(byColumn(q, p))), 0.5) : rows
  }
  const queries = tf.tensor2d(inputs.matrix('queries'))
  const positives = tf.tensor2d(inputs.matrix('positives'))
  const grads =
    hard === null
      ? tf.grads((q, p) => loss(q, p, null))([queries, positives])
      : tf.grads((q, p, n) => loss(q, p, n))([queries, positives, hard])
  const actual: Record<string, Outputs[string]> = {
    loss: out(loss(queries, positives, hard)),
    per_sample: out(diagonalCrossEntropy(logits(queries, positives, hard))),
    in_batch_accuracy: out(
      tf.mean(
        tf.cast(
          tf.equal(tf.argMax(logits(queries, positives, hard), 1), tf.range(0, queries.shape[0], 1, 'int32')),
          'float32',
        ),
      ),
    ),
    'grads.queries': out(grads[0]!),
    'grads.positives': out(grads[1]!),
  }
  if (hard !== null) actual['grads.hard_negatives'] = out(grads[2]!)
  if (symmetric) actual['per_sample_column'] = out(byColumn(queries, positives))
  return { outputs: covered(singleFor(vector.tags), actual), notCovered: [] }
}

const checkGrace: Check = async (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  if (inputs.has('hidden')) {
    const hidden = tf.tensor3d(inputs.cube('hidden'))
    const attention = inputs.matrix('attention_mask')
    const mask = poolMask(attention, params.number('system_prompt_tokens'))
    const pooled = meanPool(hidden, tf.tensor2d(mask))
    const rationale = meanPool(hidden, tf.tensor2d(inputs.matrix('rationale_mask')))
    return {
      outputs: [
        ...covered(EXACT, { pool_mask: mask }),
        ...covered(SINGLE, {
          pooled: out(pooled),
          normalized: out(normalizeRows(pooled)),
          pooled_rationale_only: out(rationale),
          normalized_rationale_only: out(normalizeRows(rationale)),
        }),
      ],
      notCovered: [],
    }
  }
  const weights = {
    consistency: params.number('lambda_consistency'),
    hard: params.number('lambda_hard'),
    temperature: params.number('temperature'),
  }
  if (inputs.has('anchor_emb')) {
    const parts = await graceSelfRewards(
      tf.tensor2d(inputs.matrix('anchor_emb')),
      tf.tensor3d(inputs.cube('rollout_emb')),
      weights,
    )
    return {
      outputs: covered(SINGLE, {
        self: parts.self,
        consistency: parts.consistency,
        hard_paper: parts.hard,
        total_scaled_paper: parts.totalPaper,
        cross_code: parts.cross,
        total_scaled_code: parts.totalCode,
        advantages_paper: graceAdvantages(parts.totalPaper),
        advantages_code: graceAdvantages(parts.totalCode),
      }),
      notCovered: [],
    }
  }
  const parts = await graceRewards(
    tf.tensor2d(inputs.matrix('query_emb')),
    tf.tensor3d(inputs.cube('positive_rollout_emb')),
    tf.tensor3d(inputs.cube('negative_emb')),
    weights,
  )
  const advantages = graceAdvantages(parts.total)
  const logProbs = tf.tensor2d(inputs.matrix('rollout_sum_logps'))
  const loss = (x: tf.Tensor, reduction: 'sum' | 'mean'): tf.Scalar =>
    graceLoss(x as tf.Tensor2D, advantages, reduction)
  return {
    outputs: covered(SINGLE, {
      positive_sim: parts.positive,
      contrastive_reward: parts.contrastive,
      consistency: parts.consistency,
      hard: parts.hard,
      total_scaled: parts.total,
      advantages,
      loss_mean_over_rollouts: out(loss(logProbs, 'mean')),
      loss_sum_paper: out(loss(logProbs, 'sum')),
      'grads.rollout_sum_logps': out(tf.grad((x) => loss(x, 'mean'))(logProbs)),
    }),
    notCovered: [],
  }
}

const checkCorrelation: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const [a, b] = [inputs.vector('a'), inputs.vector('b')]
  return {
    outputs: covered(DOUBLE, {
      pearson: pearson(a, b),
      spearman: spearman(a, b),
      kendall_tau_b: kendallTauB(a, b),
      ranks_a: averageRanks(a),
      ranks_b: averageRanks(b),
    }),
    notCovered: [],
  }
}

const checkRatings: Check = (vector) => {
  const players = reader(vector.inputs, 'inputs').number('players')
  const games = reader(vector.inputs, 'inputs').matrix('games') as unknown as Game[] // rows of three
  const params = reader(vector.params, 'params')
  const scale = { k: params.number('elo_k'), initial: params.number('elo_initial'), scale: params.number('elo_scale') }
  const { logStrength, logLikelihood, standardError } = bradleyTerry(players, games, params.number('l2'))
  return {
    outputs: [
      ...covered(
        { absolute: 1e-8, relative: 1e-7 },
        {
          bt_log_strength: logStrength,
          bt_elo_scale: logStrength.map((value) => eloScale(value, scale)),
          bt_loglik: logLikelihood,
          bt_standard_error: standardError,
        },
      ),
      ...covered(DOUBLE, { elo_sequential: eloRatings(players, games, scale), win_matrix: winMatrix(players, games) }),
    ],
    notCovered: [],
  }
}

/** Rankings, retrieval, embeddings, and the statistics of comparisons. */
export const RANKING_CHECKS: Readonly<Record<string, Check>> = {
  plackett_luce: checkPlackettLuce,
  pg_rank: checkPgRank,
  listwise: checkListwise,
  ranking_metrics: checkRankingMetrics,
  bm25: checkBm25,
  infonce: checkInfoNce,
  grace: checkGrace,
  correlation: checkCorrelation,
  ratings: checkRatings,
}
