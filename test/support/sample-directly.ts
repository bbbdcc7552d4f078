import type { Generation } from '../../shared/contract/playground.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleTexts } from '../../main/core/learn/sampling/sample-text.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { openWriter, type Writer } from '../../main/workers/generator/generate-model.ts'
import { completionLogProbs } from '../../main/core/learn/completion-log-probs.ts'

/** What a generation drew, drawn without a process, an app or a stream between. @param checkpoint a run's folder of weights */
export async function sampleDirectly(
  checkpoint: string,
  { request, completions }: Generation,
): Promise<{
  readonly samples: Awaited<ReturnType<typeof sampleTexts>>
  readonly scores: Float32Array[]
}> {
  await openEngine('wasm')
  const writer: Writer = await openWriter({ kind: 'checkpoint', path: checkpoint, trainedHere: true })
  const { tokenizer, format } = writer.language
  const ids = format.prompt('q1?')
  const samples = await sampleTexts(
    writer.decoder,
    tokenizer,
    completions.map(() => ids),
    (row) => createRandom(5 + row),
    { ...request.settings, endId: tokenizer.endId, modelLogProbs: true },
  )
  const scores = await completionLogProbs(
    writer.decoder,
    samples.map((one) => ({ prompt: ids, completion: one.ids, text: '' })),
    tokenizer.padId,
    async () => undefined,
  )
  writer.decoder.dispose()
  return { samples, scores }
}
