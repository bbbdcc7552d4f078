import type { QuestionOf } from '../../base/processes/worker-questions.ts'
import { openRewardModel, openScorer } from '../trainer/text/scoring.ts'
import { openModelJudge } from './judge-by-model.ts'
import type { JudgedPair, MatchJudge } from './match-judge.ts'

type Question = QuestionOf<'match'>

/** Pairs that are scored before anybody is told. */
const CHUNK = 32

/** Null where people judge. @throws AppError of a model that cannot be opened */
export async function openJudge(
  { judge, cacheFolder, engine }: Pick<Question, 'judge' | 'cacheFolder' | 'engine'>,
  breathe: () => Promise<void>,
): Promise<MatchJudge | null> {
  if (judge.kind === 'nobody') return null
  if (judge.kind === 'model') return openModelJudge(judge.model, breathe)
  const maxLength = judge.kind === 'rule' ? 0 : judge.maxLength
  const context = { engine, dry: false, spec: { cacheFolder, createdAtMs: Date.now(), training: { maxLength } } }
  const scorer =
    judge.kind === 'rule' ? await openScorer(context, judge.source, null) : await openRewardModel(context, judge.path)
  return {
    async decide(pairs, tell) {
      const judged: JudgedPair[] = []
      for (let at = 0; at < pairs.length; at += CHUNK) {
        const chunk = pairs.slice(at, at + CHUNK)
        const scores = await scorer.score(
          chunk.flatMap(({ prompt, answers }) => answers.map((completion) => ({ prompt, completion }))),
          breathe,
        )
        chunk.forEach((_pair, index) => {
          const [one, other] = [scores[2 * index]!, scores[2 * index + 1]!] // two each
          judged.push({ outcome: one > other ? 1 : one === other ? 0.5 : 0, scores: [one, other], firstTaken: null })
        })
        tell(judged.length, pairs.length)
      }
      return judged
    },
    dispose: () => scorer.dispose(),
  }
}
