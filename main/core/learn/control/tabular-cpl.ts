// Contrastive preference learning in a finite world, where the best policy is known exactly.
import { cplLoss } from '../algorithms/cpl.ts'
import { splitPairs } from '../ops.ts'
import { createOptimizer } from '../optimizer.ts'
import type { Random } from '../random.ts'
import { type SoftMdp, type SoftSolution } from './soft-mdp.ts'
import { tf } from '../tf.ts'

/** Transitions are flat Dirichlet draws, rewards standard normal. */
export function drawSoftMdp(
  states: number,
  actions: number,
  { gamma, alpha }: { readonly gamma: number; readonly alpha: number },
  random: Random,
): SoftMdp {
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  const shares = (): number[] => {
    const draws = each(states, () => -Math.log(1 - random.uniform()))
    const total = draws.reduce((sum, value) => sum + value, 0)
    return draws.map((value) => value / total)
  }
  return {
    transitions: each(states, () => each(actions, shares)),
    rewards: each(states, () => each(actions, () => random.normal())),
    gamma,
    alpha,
  }
}

/** Discounted visits of state-action pairs, row-major [segment, state · action], from uniformly random actions. */
export interface TabularSegments {
  readonly count: number
  readonly visits: Float64Array
}

export function drawSegments(mdp: SoftMdp, count: number, time: number, random: Random): TabularSegments {
  const [states, actions] = [mdp.rewards.length, mdp.rewards[0]!.length]
  const width = states * actions
  const visits = new Float64Array(count * width)
  for (let segment = 0; segment < count; segment += 1) {
    let state = random.int(states)
    for (let t = 0; t < time; t += 1) {
      const action = random.int(actions)
      const at = segment * width + state * actions + action
      visits[at] = visits[at]! + mdp.gamma ** t
      state = random.categorical(mdp.transitions[state]![action]!)
    }
  }
  return { count, visits }
}

/** Σ_t γᵗ x(s_t, a_t) of each segment. @param table [state, action] */
export function segmentSums({ count, visits }: TabularSegments, table: readonly (readonly number[])[]): Float64Array {
  const flat = table.flat()
  return Float64Array.from({ length: count }, (_, segment) =>
    flat.reduce((sum, value, at) => sum + value * visits[segment * flat.length + at]!, 0),
  )
}

/** Segment i against segment i + count/2, judged once by P(second preferred) = σ(second − first) of these sums. */
export function judgePairs(sums: ArrayLike<number>, random: Random): Float32Array {
  const pairs = sums.length / 2
  return Float32Array.from({ length: pairs }, (_, pair) =>
    random.uniform() < 1 / (1 + Math.exp(sums[pair]! - sums[pairs + pair]!)) ? 1 : 0,
  )
}

export interface TabularOptions {
  readonly steps: number
  readonly learningRate: number
}

/** Minimises the CPL loss (λ = 1) over all pairs at once, from the uniform policy. → π [state, action] */
export async function trainTabularCpl(
  mdp: SoftMdp,
  segments: TabularSegments,
  secondPreferred: Float32Array,
  { steps, learningRate }: TabularOptions,
): Promise<number[][]> {
  const [states, actions] = [mdp.rewards.length, mdp.rewards[0]!.length]
  const pairs = secondPreferred.length
  const logits = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R2>([states, actions])))
  const visits = tf.tensor2d(Float32Array.from(segments.visits), [segments.count, states * actions])
  const labels = tf.tensor1d(secondPreferred)
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    { logits },
  )
  const loss = (): tf.Scalar => {
    const advantages = tf.mul(tf.logSoftmax(logits), mdp.alpha) // α log π, in place of A*
    const scores = tf.reshape<tf.Rank.R1>(tf.matMul(visits, tf.reshape(advantages, [states * actions, 1])), [
      segments.count,
    ])
    return tf.mean(cplLoss(...splitPairs(scores, pairs), labels, 1)) as tf.Scalar
  }
  for (let step = 0; step < steps; step += 1) {
    tf.tidy(() => {
      const { grads } = tf.variableGrads(loss, [logits])
      optimizer.apply({ logits: grads[logits.name]! }, learningRate * (step < steps / 2 ? 1 : 2 * (1 - step / steps)))
    })
  }
  const policy = tf.tidy(() => tf.softmax(logits))
  const result = (await policy.array()) as number[][]
  optimizer.dispose()
  tf.dispose([logits, visits, labels, policy])
  return result
}

/** ½ Σ_a |π − π*|, averaged over the states. */
export function policyDistance(policy: readonly (readonly number[])[], { policy: best }: SoftSolution): number {
  return (
    policy.reduce(
      (sum, row, state) =>
        sum + row.reduce((total, share, action) => total + Math.abs(share - best[state]![action]!), 0) / 2,
      0,
    ) / policy.length
  )
}
