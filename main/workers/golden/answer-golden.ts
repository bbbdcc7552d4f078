import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { openEngine } from '../engine/choose.ts'
import { formatGoldenReport, runGolden } from './run-golden.ts'

export async function answerGolden({
  folder,
  engine: name,
  enginesFolder,
}: QuestionOf<'golden'>): Promise<AnswerOf<'golden'>> {
  const engine = await openEngine(name, { enginesFolder })
  const report = await runGolden(folder, { engine: name })
  await engine.dispose()
  return { report: { ...report }, text: formatGoldenReport(report) }
}
