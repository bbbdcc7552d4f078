// The same bandit learned from a fixed set of sampled pairs with Adam, as the paper prints it (§5.1, figure 1).
import { banditRegret, importanceWeight, logitGradient, softmax, type Bandit, type BanditMethod } from './bandit.ts'
import { createOptimizer } from '../optimizer.ts'
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

export interface SampledOptions {
  readonly pairs: number
  readonly batchSize: number
  readonly epochs: number
  readonly learningRate: number
}

/** Figure 1's set-up. */
export const PAPER_SAMPLING: SampledOptions = { pairs: 10_000, batchSize: 512, epochs: 100, learningRate: 1e-3 }

interface SampledPair {
  readonly first: number
  readonly second: number
  /** A draw from Bradley–Terry on the rewards: 1 where the first won. */
  readonly firstWon: 0 | 1
}

/** @param random decides the pairs, their labels and the order of the batches */
export function trainBanditOnSamples(
  bandit: Bandit,
  method: BanditMethod,
  options: SampledOptions,
  random: Random,
): { readonly policy: readonly number[]; readonly regret: number } {
  const pairs = Array.from({ length: options.pairs }, () => drawPair(bandit, random))
  const variable = tf.variable(tf.tensor1d(bandit.reference.map((share) => Math.log(share))))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    { logits: variable },
  )
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    random.shuffle(pairs)
    for (let start = 0; start < pairs.length; start += options.batchSize) {
      const policy = softmax(Array.from(variable.dataSync<'float32'>()))
      const batch = pairs.slice(start, start + options.batchSize)
      const ascent = logitGradient(policy, batchWeights(bandit, method, policy, batch))
      optimizer.apply({ logits: Float32Array.from(ascent, (value) => -value / batch.length) }, options.learningRate)
    }
  }
  const policy = softmax(Array.from(variable.dataSync<'float32'>()))
  variable.dispose()
  return { policy, regret: banditRegret(bandit, policy) }
}

/** How much each arm's log-probability is pushed up by the batch. */
function batchWeights(
  bandit: Bandit,
  method: BanditMethod,
  policy: readonly number[],
  batch: readonly SampledPair[],
): number[] {
  const { beta, rewards } = bandit
  const ratios = policy.map((share, arm) => Math.log(share) - Math.log(bandit.reference[arm]!))
  const baseline =
    method === 'pg_value' || method === 'pg_importance'
      ? policy.reduce((sum, share, arm) => sum + share * rewards[arm]!, 0)
      : 0
  const weights = policy.map(() => 0)
  for (const { first, second, firstWon } of batch) {
    if (method === 'pg_none' || method === 'pg_value' || method === 'pg_importance') {
      for (const [arm, from] of [
        [first, 'mu1'],
        [second, 'mu2'],
      ] as const) {
        const weight = method === 'pg_importance' ? importanceWeight(bandit, from, policy[arm]!, arm) : 1
        weights[arm]! += weight * (rewards[arm]! - beta * ratios[arm]! - baseline)
      }
      continue
    }
    const difference = ratios[first]! - ratios[second]!
    const push =
      method === 'copg'
        ? rewards[first]! - rewards[second]! - beta * difference
        : method === 'ipo'
          ? firstWon - 0.5 - beta * difference
          : beta * (firstWon - 1 / (1 + Math.exp(-beta * difference)))
    weights[first]! += push
    weights[second]! -= push
  }
  return weights
}

function drawPair(bandit: Bandit, random: Random): SampledPair {
  const first = random.categorical(bandit.mu1)
  const second = random.categorical(bandit.mu2)
  const probability = 1 / (1 + Math.exp(bandit.rewards[second]! - bandit.rewards[first]!))
  return { first, second, firstWon: random.uniform() < probability ? 1 : 0 }
}
