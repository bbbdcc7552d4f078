// What a match came to, from its bouts: pure.
import type { MatchBout, MatchResult, Player } from '../../../shared/contract/matches.ts'
import { countCharacters } from '../../../shared/data-kinds.ts'
import { clusteredShare, type Outcome } from '../../../shared/statistics/clustered.ts'
import { bestOfN } from '../../../shared/statistics/best-of-n.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { scoreOf, type Score } from '../../../shared/statistics/win-rate.ts'
import { formatCount } from '../../../shared/units.ts'
import type { AnswerOf } from '../../base/processes/worker-questions.ts'

/** Of the bouts that somebody judged; null without one. */
export function scoreBouts(bouts: readonly MatchBout[]): Score | null {
  return scoreOf(
    bouts.flatMap(({ outcome, prompt, answers: [ours, theirs] }) =>
      outcome === null
        ? []
        : [{ outcome, cluster: prompt, longerBy: countCharacters(ours.text) - countCharacters(theirs.text) }],
    ),
  )
}

export interface Played {
  readonly found: AnswerOf<'match'>
  readonly bouts: readonly MatchBout[]
  readonly titles: readonly [string, string]
  readonly players: readonly [Player, Player]
  readonly judge: string
  readonly datasetName: string
  readonly side: string
  readonly maxTokens: number
}

export function resultOf({ found, bouts, titles, players, judge, datasetName, side, maxTokens }: Played): MatchResult {
  const summary = (at: 0 | 1): MatchResult['players'][0] => {
    const answers = bouts.map((one) => one.answers[at])
    const over = (values: readonly (number | null)[]): number | null => {
      const known = values.filter((value) => value !== null)
      return known.length === 0 ? null : mean(known)
    }
    return {
      title: titles[at],
      characters: over(answers.map(({ text }) => countCharacters(text))) ?? 0,
      tokens: over(answers.map(({ tokens }) => tokens)),
      ended: over(answers.map(({ ended }) => (ended === null ? null : Number(ended)))),
      score: over(answers.map(({ score }) => score)),
      bestOf: players[at].kind === 'data' ? [] : bestOf(bouts, at),
    }
  }
  const both: MatchResult['players'] = [summary(0), summary(1)]
  const agreement = agreementOf(found.agreement)
  return {
    players: both,
    judge: { title: judge, agreement, position: found.position },
    score: scoreBouts(bouts),
    promptsOf: { datasetName, side, available: found.available, used: found.used },
    labelIn: null,
    device: found.device,
    warnings: [
      ...found.trainedOn.flatMap((count, at) =>
        count === 0
          ? []
          : [
              `${formatCount(count)} of the ${formatCount(found.used)} prompts are on the training side of ${titles[at]!}: it may know their answers.`,
            ],
      ),
      ...both.flatMap(({ ended, title }, at) =>
        ended !== null && ended < 0.5 && players[at]!.kind !== 'data'
          ? [
              `${Math.round(100 * (1 - ended))} % of the answers of ${title} reached ${maxTokens} tokens without ending: a judge sees beginnings.`,
            ]
          : [],
      ),
      ...(agreement !== null && agreement.low <= 0.5
        ? [
            `${judge} decides as people did in ${percent(agreement.rate)} of ${formatCount(agreement.pairs)} labeled pairs, which chance would give too: its verdicts say little.`,
          ]
        : []),
      ...(found.position !== null && Math.abs(found.position.first - 0.5) > 0.1
        ? [
            `${judge} took the answer that stood ${found.position.first > 0.5 ? 'first' : 'second'} in ${percent(Math.max(found.position.first, 1 - found.position.first))} of its decisions. Where it changes its mind with the order, a pair counts as a tie.`,
          ]
        : []),
    ],
  }
}

/** Nothing where the judge gives no numbers, or each prompt has one answer. */
function bestOf(bouts: readonly MatchBout[], at: 0 | 1): MatchResult['players'][0]['bestOf'] {
  const byPrompt = new Map<string, number[]>()
  for (const { prompt, answers } of bouts) {
    const { score } = answers[at]
    if (score === null) return []
    byPrompt.set(prompt, [...(byPrompt.get(prompt) ?? []), score])
  }
  const curve = bestOfN([...byPrompt.values()])
  return curve.length < 2 ? [] : curve
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function agreementOf(outcomes: readonly Outcome[]): MatchResult['judge']['agreement'] {
  if (outcomes.length === 0) return null
  const { share, low, high } = clusteredShare(outcomes)
  return { rate: share, low, high, pairs: outcomes.length }
}
