import type { NewPart } from '../../core/formats/parsed-rows.ts'
import type { RankingPart } from '../../core/retrieval/to-dataset.ts'
import type { ReaderJobName, ReaderJobs } from '../../core/formats/reader-protocol.ts'

/** Parts that travel together: one by one they would cost a message each. */
const PARTS_AT_ONCE = 100

const PROGRESS_INTERVAL_MS = 200

/** @param emit delivers a piece, and waits while the app has enough of them */
type Work<N extends ReaderJobName> = (
  input: ReaderJobs[N]['input'],
  emit: (piece: ReaderJobs[N]['piece']) => Promise<void>,
) => Promise<ReaderJobs[N]['result']>

/** Each loads what it needs when it is asked for: a preview waits for no code that reads models. */
export const readerJobs: { readonly [N in ReaderJobName]: Work<N> } = {
  async inspect({ path, options }) {
    const { inspectFile } = await import('../../core/formats/inspect.ts')
    return inspectFile(path, options)
  },
  async recognize({ path }) {
    const { recognize } = await import('../../core/imports/recognize.ts')
    return recognize(path)
  },
  async preview({ path, kind, texts, segments, limit }) {
    if (kind === 'contrast-groups')
      return (await import('../../core/formats/preview-texts.ts')).previewTexts(path, texts, limit)
    if (kind === 'rankings')
      return (await import('../../core/retrieval/preview-rankings.ts')).previewRankings(path, limit)
    return (await import('../../core/formats/preview-segments.ts')).previewSegments(path, segments)
  },
  async pairs({ path, mapping }, emit) {
    const { readPairs } = await import('../../core/formats/read-pairs.ts')
    for await (const piece of readPairs(path, mapping)) await emit(piece)
    return null
  },
  async texts({ path, options }, emit) {
    const { readContrastFile } = await import('../../core/formats/contrast-reader.ts')
    return emitParts(readContrastFile(path, options), emit)
  },
  async unpaired({ path }, emit) {
    const { readUnpaired } = await import('../../core/formats/read-unpaired.ts')
    return emitParts(readUnpaired(path), emit)
  },
  async segments({ path, options }, emit) {
    const { readSegments } = await import('../../core/formats/read-segments.ts')
    return emitParts(readSegments(path, options), emit)
  },
  async rankings({ path }, emit) {
    const { readRankings } = await import('../../core/retrieval/to-dataset.ts')
    return emitParts(asParts(readRankings(path)), emit)
  },
  async model({ folder }) {
    const { readModel } = await import('../../core/models/read-model.ts')
    return readModel(folder)
  },
  async tokens(asked) {
    const { previewTokens } = await import('../../core/models/preview-tokens.ts')
    return previewTokens(asked)
  },
  async hash({ folder }, emit) {
    const { hashModel } = await import('../../core/models/read-model.ts')
    let toldMs = 0
    return hashModel(folder, (doneBytes, totalBytes) => {
      if (Date.now() - toldMs < PROGRESS_INTERVAL_MS) return
      toldMs = Date.now()
      void emit({ doneBytes, totalBytes })
    })
  },
}

async function emitParts(
  parts: AsyncIterable<NewPart>,
  emit: (piece: readonly NewPart[]) => Promise<void>,
): Promise<null> {
  let waiting: NewPart[] = []
  try {
    for await (const part of parts) {
      waiting.push(part)
      if (waiting.length < PARTS_AT_ONCE) continue
      await emit(waiting)
      waiting = []
    }
  } finally {
    // A reader that gives up has said before why: that goes with its error.
    if (waiting.length > 0) await emit(waiting)
  }
  return null
}

async function* asParts(parts: AsyncIterable<RankingPart>): AsyncGenerator<NewPart> {
  for await (const part of parts) {
    if ('problem' in part) yield part
    else if ('document' in part) yield { extra: { extra: 'document', data: { ...part.document } } }
    else
      yield {
        item: {
          pairId: part.query.queryId,
          line: part.query.line,
          group: part.query.queryId,
          title: part.query.title,
          split: part.query.split,
          data: part.query.data,
        },
      }
  }
}
