import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Match, MatchBout } from '../../../shared/contract/matches.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { reduceLabels } from '../data/reduce-labels.ts'
import { scoreBouts } from '../matches/match-result.ts'
import { judgedByPeople } from '../matches/match-service.ts'
import { resolveMatch } from '../requests/resolve-match.ts'
import { findDataset } from '../store/datasets.ts'
import { eachPairWithAnswers } from '../store/labels-read.ts'
import { withSnapshot } from '../store/snapshot.ts'
import type { HandlerDeps } from './deps.ts'

type MatchHandlers = Pick<Handlers, Extract<keyof Handlers, `matches.${string}`>>

export function matchHandlers(deps: HandlerDeps): MatchHandlers {
  const { matches } = deps
  return {
    'matches.start': async ({ clientKey, ...request }) => ({
      matchId: matches.start(request, await resolveMatch(deps, request), clientKey),
    }),
    'matches.list': async () => Promise.all(matches.list().map((one) => withLabels(deps, one))),
    'matches.get': ({ matchId }) => withLabels(deps, matches.get(matchId)),
    'matches.bouts': async ({ matchId, offset, limit }) => {
      const match = matches.get(matchId)
      const found = await boutsOf(deps, match)
      // Whoever judges must not see here who wrote what.
      const all = match.result?.labelIn == null ? found : found.filter(({ outcome }) => outcome !== null)
      return { total: all.length, bouts: all.slice(offset, offset + limit) }
    },
    'matches.cancel': async ({ matchId }) => {
      await matches.cancel(matchId)
      return null
    },
    'matches.remove': ({ matchId }) => {
      matches.remove(matchId)
      return null
    },
  }
}

/** Where people judge, what they have said so far. */
async function withLabels(deps: HandlerDeps, match: Match): Promise<Match> {
  if (match.result === null || match.result.labelIn === null) return match
  return { ...match, result: { ...match.result, score: scoreBouts(await boutsOf(deps, match)) } }
}

async function boutsOf({ db, matches }: HandlerDeps, { matchId, result }: Match): Promise<MatchBout[]> {
  const bouts = matches.bouts(matchId)
  if (result === null || result.labelIn === null || findDataset(db, result.labelIn) === null) return bouts
  const { labelIn } = result
  const outcomes = await withSnapshot(db, async (snapshot) => {
    const found = new Map<string, number>()
    for (const { pair, answers } of eachPairWithAnswers(snapshot, labelIn)) {
      const reduced = reduceLabels(answers, 'mean')
      if (reduced.kind === 'preference') found.set(pair.pairId, reduced.preferenceA)
      if (reduced.kind === 'both-bad') found.set(pair.pairId, 0.5)
      if (pair.index % 500 === 499) await nextTurn()
    }
    return found
  })
  return judgedByPeople(result, bouts, outcomes)
}
