import type { NewPart } from '../../core/formats/parsed-rows.ts'
import type { ReaderJobs } from '../../core/formats/reader-protocol.ts'
import type { Reader } from './reader.ts'

interface Asked {
  readonly kind: 'unpaired-responses' | 'segment-pairs' | 'rankings' | 'contrast-groups'
  readonly path: string
  readonly texts: ReaderJobs['texts']['input']['options']
  readonly segments: {
    readonly world: string | null
    readonly scoreName: string | null
    readonly segmentSteps: number
  }
}

/** A file's or folder's items of a kind, some at a time. @throws AppError as the kind's reader does */
export function streamItems(
  reader: Reader,
  { kind, path, texts, segments }: Asked,
  signal?: AbortSignal,
): AsyncGenerator<readonly NewPart[]> {
  if (kind === 'contrast-groups') return reader.stream('texts', { path, options: texts }, { signal })
  if (kind === 'segment-pairs') return reader.stream('segments', { path, options: readingOf(segments) }, { signal })
  return reader.stream(kind === 'rankings' ? 'rankings' : 'unpaired', { path }, { signal })
}

/** What a person says of segments, as the reader takes it. */
export function readingOf({
  world,
  scoreName,
  segmentSteps,
}: Asked['segments']): ReaderJobs['segments']['input']['options'] {
  return { world, segmentSteps, ...(scoreName === null ? {} : { scoreName }) }
}
