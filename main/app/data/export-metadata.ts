import type { ResponsePair } from '../../../shared/data-kinds.ts'
import { LABEL_PREFIX } from '../../core/formats/mapping-compile.ts'
import type { Answer } from '../store/labels-read.ts'

export type Row = Readonly<Record<string, unknown>>

/** Metadata under its own names, except where a column of the export has the name already. */
export function withMetadata(row: Row, metadata: ResponsePair['metadata']): Row {
  const all = new Map(Object.entries(row))
  for (const [name, value] of Object.entries(metadata)) {
    let free = name.startsWith(LABEL_PREFIX) ? `metadata.${name}` : name
    while (all.has(free) || (free !== name && Object.hasOwn(metadata, free))) free = `metadata.${free}`
    all.set(free, value)
  }
  return Object.fromEntries(all)
}

const NOTE_PREFIX = 'note:'

/** Columns of those who wrote a note beside their answer. */
export function notesOf(answers: readonly Answer[]): Row {
  return Object.fromEntries(
    answers.flatMap(({ annotatorId, comment = '' }) =>
      comment === '' ? [] : [[`${NOTE_PREFIX}${annotatorId}`, comment]],
    ),
  )
}
