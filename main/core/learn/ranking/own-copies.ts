// Queries that are documents of their own collection, as in ArguAna and Quora: a query must not find itself.
import { wordsOf } from './words.ts'

interface QueryText {
  readonly queryId: string
  readonly text: string
}

interface DocumentText {
  readonly docId: string
  readonly title: string
  readonly text: string
}

export interface OwnCopies {
  /** Queries whose document of the same id is left out of their ranking. */
  readonly sameId: ReadonlySet<string>
  /** Queries with the text of a document that has another id; it stays in their ranking, as it does in BEIR. */
  readonly sameText: ReadonlySet<string>
}

/**
 * An id that a query and a document share means the same thing where most such pairs have the same words; then all of
 * them are left out, as BEIR does. Where they do not (both are numbered from 1), they are other texts and stay.
 */
export function findOwnCopies(queries: readonly QueryText[], documents: readonly DocumentText[]): OwnCopies {
  const work = eachOwnCopy(queries, documents)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Documents between two yields: some milliseconds each hundred. */
const DOCUMENTS_A_STEP = 500

/** The same, to be left off at every `yield`: of a hundred thousand documents it takes seconds. */
export function* eachOwnCopy(
  queries: readonly QueryText[],
  documents: readonly DocumentText[],
): Generator<void, OwnCopies> {
  const byId = new Map(documents.map((document) => [document.docId, document]))
  const shared = queries.filter(({ queryId }) => byId.has(queryId))
  const alike = shared.filter(({ queryId, text }) => isCopy(text, byId.get(queryId)))
  const sameId = new Set(2 * alike.length > shared.length ? shared.map(({ queryId }) => queryId) : [])
  const idsByText = new Map<string, Set<string>>()
  const asked = new Set(queries.map(({ text }) => keyOf(text)))
  for (const [at, { docId, title, text }] of documents.entries()) {
    for (const form of new Set([keyOf(text), keyOf(`${title} ${text}`)]))
      if (asked.has(form)) idsByText.set(form, (idsByText.get(form) ?? new Set()).add(docId))
    if (at % DOCUMENTS_A_STEP === 0) yield
  }
  const sameText = queries.filter(
    ({ queryId, text }) =>
      keyOf(text) !== '' &&
      [...(idsByText.get(keyOf(text)) ?? [])].some((docId) => docId !== queryId || !sameId.has(queryId)),
  )
  return { sameId, sameText: new Set(sameText.map(({ queryId }) => queryId)) }
}

function isCopy(query: string, document: DocumentText | undefined): boolean {
  if (document === undefined) return false
  const key = keyOf(query)
  return key !== '' && (key === keyOf(document.text) || key === keyOf(`${document.title} ${document.text}`))
}

function keyOf(text: string): string {
  return wordsOf(text).join(' ')
}
