import type { Rollout } from '../../../core/learn/define.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { scoresNewText } from '../../../core/learn/rewards.ts'
import { rolloutMetrics } from '../../../core/learn/sampling/rollout.ts'
import { mean } from '../../../../shared/statistics/intervals.ts'
import { NOTHING, type SideNumbers } from '../held-out.ts'
import { withMean } from '../intervals.ts'
import type { Rollouts } from './rollouts.ts'
import { openScorer } from './scoring.ts'
import type { PairSet } from './training-data.ts'
import { createWriter, rolloutPrompts, type Needs, type RolloutPrompt, type Written } from './writing.ts'

/** What the reward says of completions that the policy writes now, which is what methods with a reward are after. */
export interface FreshRewards {
  /** One completion of each held-out prompt, always with the same random numbers: named `eval/rollout/…`, of test prompts `test/rollout/…`. */
  evaluate(side: 'eval' | 'test'): Promise<SideNumbers>
}

/**
 * Null for a method without a reward, and for one whose rewards belong to logged completions.
 * @param rollouts of a method that writes in training: it is measured as it writes there
 */
export function openFreshRewards(needs: Needs, rollouts: Rollouts | null): FreshRewards | null {
  const { context, algorithm, config, format, sets } = needs
  const source = algorithm.rewards?.(config) ?? null
  if (source === null || !scoresNewText(source)) return null
  const { maxLength, evalPairs, sampleTokens } = context.spec.training
  const how: Pick<Rollout, 'maxTokens' | 'temperature'> = algorithm.rollout?.(config) ?? {
    maxTokens: sampleTokens,
    temperature: 1, // the policy itself
  }
  const promptsOf = (set: PairSet): RolloutPrompt[] =>
    rolloutPrompts(set.pairs, format, maxLength, how.maxTokens).slice(0, evalPairs)
  const held = [sets.validation, sets.test, sets.train].find((set) => set.pairs.length > 0) ?? sets.train
  const heldOut = { eval: promptsOf(held), test: held === sets.test ? [] : promptsOf(sets.test) }
  const random = createRandom(context.spec.seed).fork('held-out rollouts')

  async function write(prompts: readonly RolloutPrompt[]): Promise<readonly Written[]> {
    if (rollouts !== null) return rollouts.writer(prompts, 1, random)
    // Training needs no scorer: it takes memory only while it is asked.
    const scorer = await openScorer(context, source!, context.spec.rewardModelPath) // checked above
    try {
      return await createWriter(needs, how, scorer, { mean: 0, sd: 1 })(prompts, 1, random)
    } finally {
      scorer.dispose()
    }
  }

  return {
    async evaluate(side) {
      if (heldOut[side].length === 0) return NOTHING
      const written = await write(heldOut[side])
      const { 'rollout/equal-rewards': _one, ...metrics } = rolloutMetrics(written.map((group) => group.written))
      const own = written.flatMap((group) => group.written.completions.map((one) => sum(one.logProbs)))
      const other = written.flatMap((group) => group.encoded.completions.map((one) => sum(group.reference(one))))
      const rewards = written.map(({ written: { rawRewards }, encoded: { promptText } }) => ({
        item: promptText,
        cluster: promptText,
        weight: 1,
        value: rawRewards[0]!, // one completion each
      }))
      const numbers = {
        ...Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${side}/${name}`, value])),
        ...withMean(
          `${side}/rollout/reward`,
          rewards.map(({ value }) => value),
        ),
        ...(needs.reference === null
          ? {}
          : { [`${side}/rollout/kl`]: mean(own.map((value, at) => value - (other[at] ?? 0))) }),
      }
      return { metrics: numbers, items: { 'rollout/reward': rewards } }
    },
  }
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
