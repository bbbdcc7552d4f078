import fc from 'fast-check'
import { expect, it } from 'vitest'
import { copgGroupLoss, copgLoss } from '../../main/core/learn/algorithms/copg.ts'
import { dpoLoss } from '../../main/core/learn/algorithms/dpo.ts'
import { ipoLoss } from '../../main/core/learn/algorithms/ipo.ts'
import { rewardModelLoss } from '../../main/core/learn/algorithms/reward-model.ts'
import { advantages, policyGradientLoss, regularizedRewards } from '../../main/core/learn/algorithms/rloo.ts'
import { klK1, klK2, klK3, logSigmoid, softplus } from '../../main/core/learn/ops.ts'
import { tf } from '../../main/core/learn/tf.ts'

const runs = { numRuns: 60 }
const small = fc.double({ min: -8, max: 8, noNaN: true })
const probability = fc.double({ min: 0, max: 1, noNaN: true })
const beta = fc.double({ min: 0.02, max: 2, noNaN: true })
const DPO = { labelSmoothing: 0, smoothing: 'conservative' } as const

/** The one number of a loss on one pair. */
function value(compute: () => tf.Tensor): number {
  return tf.tidy(() => compute().dataSync()[0] ?? NaN)
}

function close(actual: number, expected: number, scale = 1): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(2e-4 * Math.max(scale, Math.abs(expected)))
}

const one = (x: number): tf.Tensor1D => tf.tensor1d([x])

it('sees only the difference of two log-ratios: a constant of the prompt cancels', () => {
  fc.assert(
    fc.property(
      small,
      small,
      fc.double({ min: -50, max: 50, noNaN: true }),
      probability,
      beta,
      (chosen, rejected, shift, p, b) => {
        for (const loss of [
          (d: tf.Tensor1D) => dpoLoss(d, one(p), { ...DPO, beta: b }),
          (d: tf.Tensor1D) => ipoLoss(d, one(p), b),
        ]) {
          const shifted = value(() => loss(tf.sub(one(chosen + shift), one(rejected + shift))))
          close(
            shifted,
            value(() => loss(one(chosen - rejected))),
            10 / b,
          )
        }
        const scores = (offset: number): number =>
          value(() =>
            rewardModelLoss(one(chosen + offset), one(rejected + offset), one(p), { margin: 0, centering: 0 }),
          )
        close(scores(shift), scores(0), 10)
      },
    ),
    runs,
  )
})

it('does not mind which side is called chosen: L(Δ, p) = L(−Δ, 1 − p)', () => {
  fc.assert(
    fc.property(
      small,
      probability,
      beta,
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      fc.constantFrom('conservative' as const, 'robust' as const),
      (difference, p, b, epsilon, smoothing) => {
        const options = { beta: b, labelSmoothing: epsilon, smoothing }
        close(
          value(() => dpoLoss(one(difference), one(p), options)),
          value(() => dpoLoss(one(-difference), one(1 - p), options)),
        )
        close(
          value(() => ipoLoss(one(difference), one(p), b)),
          value(() => ipoLoss(one(-difference), one(1 - p), b)),
          1 / b ** 2,
        )
        const model = { margin: 0.3, centering: 0.01 }
        close(
          value(() => rewardModelLoss(one(difference), one(0.5), one(p), model)),
          value(() => rewardModelLoss(one(0.5), one(difference), one(1 - p), model)),
        )
      },
    ),
    runs,
  )
})

it('asks for nothing at a tie: the gradient at Δ = 0 is 0 when p = ½', () => {
  fc.assert(
    fc.property(beta, (b) => {
      for (const loss of [
        (d: tf.Tensor1D) => dpoLoss(d, one(0.5), { ...DPO, beta: b }),
        (d: tf.Tensor1D) => ipoLoss(d, one(0.5), b),
        (d: tf.Tensor1D) => copgLoss(one(0), d, b),
      ]) {
        close(
          value(() => tf.grad((d) => tf.sum(loss(d as tf.Tensor1D)))(one(0))),
          0,
          1e-2,
        )
      }
    }),
    runs,
  )
})

it('has the true derivative of −log σ at 0, where every run starts', () => {
  expect(value(() => tf.grad((x) => tf.sum(tf.neg(logSigmoid(x))))(one(0)))).toBe(-0.5)
  fc.assert(
    fc.property(fc.double({ min: -500, max: 500, noNaN: true }), (x) => {
      const exact = x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))
      close(
        value(() => softplus(one(x))),
        exact,
        1e-2,
      )
    }),
    runs,
  )
})

it('is IPO when the two rewards are ±¼: loss = (β/2)(Δr − 1/(2β))² − 1/(8β)', () => {
  fc.assert(
    fc.property(small, beta, (difference, b) => {
      const copg = value(() => copgLoss(one(0.5), one(difference), b))
      const ipo = value(() => ipoLoss(one(difference), one(1), b))
      close(copg, (b / 2) * ipo - 1 / (8 * b), 2 / b)
    }),
    runs,
  )
})

it('has its minimum, −ΔR²/(2β), where βΔr = ΔR', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -2, max: 2, noNaN: true }),
      beta,
      fc.double({ min: -3, max: 3, noNaN: true }),
      (reward, b, step) => {
        const at = (difference: number): number => value(() => copgLoss(one(reward), one(difference), b))
        close(at(reward / b), -(reward ** 2) / (2 * b), 1)
        expect(at(reward / b + step)).toBeGreaterThanOrEqual(at(reward / b) - 1e-3 / b)
      },
    ),
    runs,
  )
})

const groups = fc
  .integer({ min: 2, max: 5 })
  .chain((k) =>
    fc.tuple(fc.array(small, { minLength: k, maxLength: k }), fc.array(small, { minLength: k, maxLength: k })),
  )

it('has the gradient of RLOO on a group of k samples, and is the pair loss for two', () => {
  fc.assert(
    fc.property(groups, beta, ([rewards, ratios], b) => {
      tf.tidy(() => {
        const [R, r] = [tf.tensor2d([rewards]), tf.tensor2d([ratios])]
        const valid = tf.onesLike(R)
        const ours = tf
          .grad((x) => tf.sum(copgGroupLoss(R, x as tf.Tensor2D, valid, b)))(r)
          .dataSync()
        // RLOO's own loss, with log π = r + log π_ref and a reference of 0: the same derivative.
        const rloo = tf
          .grad((x) => tf.sum(policyGradientLoss(x as tf.Tensor2D, advantages(regularizedRewards(R, r, b), 'rloo'))))(r)
          .dataSync()
        rloo.forEach((gradient, index) => close(ours[index] ?? NaN, gradient, 5))
        if (rewards.length === 2)
          close(
            value(() => copgGroupLoss(R, r, valid, b)),
            value(() =>
              copgLoss(one((rewards[0] ?? 0) - (rewards[1] ?? 0)), one((ratios[0] ?? 0) - (ratios[1] ?? 0)), b),
            ),
            20,
          )
      })
    }),
    runs,
  )
})

it('leaves a sample that does not exist without any say', () => {
  fc.assert(
    fc.property(groups, small, small, beta, ([rewards, ratios], reward, ratio, b) => {
      const full = value(() =>
        copgGroupLoss(tf.tensor2d([rewards]), tf.tensor2d([ratios]), tf.ones([1, rewards.length]), b),
      )
      const masked = value(() =>
        copgGroupLoss(
          tf.tensor2d([[...rewards, reward]]),
          tf.tensor2d([[...ratios, ratio]]),
          tf.tensor2d([[...rewards.map(() => 1), 0]]),
          b,
        ),
      )
      close(masked, full, 50)
    }),
    runs,
  )
})

it('never gives a negative k2 or k3, and all three are 0 where the policies agree', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -12, max: 0, noNaN: true }),
      fc.double({ min: -12, max: 0, noNaN: true }),
      (policy, reference) => {
        expect(value(() => klK2(one(policy), one(reference)))).toBeGreaterThanOrEqual(0)
        expect(value(() => klK3(one(policy), one(reference)))).toBeGreaterThanOrEqual(-1e-6)
        for (const estimate of [klK1, klK2, klK3])
          expect(value(() => estimate(one(policy), one(policy)))).toBeCloseTo(0, 7)
      },
    ),
    runs,
  )
})
