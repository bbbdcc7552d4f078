import { reproductionReport } from '../../../shared/contract/papers.ts'
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { openEngine } from '../engine/choose.ts'
import { formatReport } from './format-report.ts'
import { findReproduction } from './registry.ts'

export async function answerReproduce(
  { id, form, seedCount, engine: name, enginesFolder }: QuestionOf<'reproduce'>,
  say: (text: string) => void,
): Promise<AnswerOf<'reproduce'>> {
  const reproduction = findReproduction(id)
  const engine = await openEngine(name, { enginesFolder })
  const report = await reproduction.run({ form, seedCount, say })
  const answer = {
    report: reproductionReport.parse(JSON.parse(JSON.stringify(report))),
    device: engine.device,
    text: formatReport(report),
  } // as a file will hold it
  await engine.dispose()
  return answer
}
