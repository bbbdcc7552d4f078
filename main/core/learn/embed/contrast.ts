import type { AlgorithmPage } from '../define.ts'

/** What of a text an update changes: what is written about it, its vector, or how likely it is. */
export type ContrastLesson = 'rationales' | 'embedding' | 'text'

/** A method that learns from `contrast-groups`: queries with texts that belong to them and texts that do not, or texts alone. */
export interface ContrastMethod<C = unknown> extends AlgorithmPage<C> {
  readonly data: 'contrast-groups'
  readonly learns: ContrastLesson
}

/** Identity that infers the config type. */
export function defineContrastMethod<C>(method: ContrastMethod<C>): ContrastMethod<C> {
  return method
}
