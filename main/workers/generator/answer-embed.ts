import { writeFileSync } from 'node:fs'
import { encodeNpy } from '../../base/files/npy.ts'
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { embedWith, openEmbedder } from '../../core/models/embedder-folder.ts'
import { openEngine } from '../engine/choose.ts'
import { everySoOften } from '../every-so-often.ts'

export async function answerEmbed(
  { folder, texts, prompt, out, engine: name, enginesFolder }: QuestionOf<'embed'>,
  say: (text: string) => void,
): Promise<AnswerOf<'embed'>> {
  const engine = await openEngine(name, { enginesFolder })
  const opened = openEmbedder(folder)
  say(
    `${texts.length} texts, ${opened.kind} of ${opened.embedder.dim} dimensions, ${opened.maxTokens ?? 'any number of'} tokens at most, on ${engine.device}`,
  )
  const { dim, vectors, cutCount } = await embedWith(opened, texts, {
    ...(prompt === null ? {} : { prompt }),
    onProgress: everySoOften((done) => say(`${done} of ${texts.length}`)),
  })
  writeFileSync(out, encodeNpy([texts.length, dim], vectors))
  opened.embedder.dispose()
  await engine.dispose()
  return { dim, cutCount, maxTokens: opened.maxTokens }
}
