import type { ReproductionEntry } from '../../shared/contract/papers.ts'
import type { AppError } from '../../shared/errors.ts'
import { useMutate } from '../api/queries.ts'
import { showToast } from '../parts/toast.tsx'

export type Form = 'quick' | 'full'

export interface Reproducing {
  start(id: string, form: Form): void
  cancel(id: string): void
}

export function useReproducing(): Reproducing {
  const onError = (error: AppError): void => showToast(`${error.message} ${error.hint}`, { tone: 'bad' })
  const start = useMutate('papers.reproduce', { invalidate: ['papers.list'], onError })
  const cancel = useMutate('papers.cancel', { invalidate: ['papers.list'], onError })
  return { start: (id, form) => start.mutate({ id, form }), cancel: (id) => cancel.mutate({ id }) }
}

export function isBusy({ job }: ReproductionEntry): boolean {
  return job !== null && (job.state === 'waiting' || job.state === 'running')
}

/** The report that says most: of the full form where there is one. */
export function bestKept(entry: ReproductionEntry): ReproductionEntry['kept'][number] | undefined {
  return entry.kept.find((one) => one.form === 'full') ?? entry.kept[0]
}

export function minutesText(minutes: number): string {
  return minutes < 1 ? `${Math.max(1, Math.round(minutes * 60))} s` : `${Math.round(minutes)} min`
}

/** "arXiv 2406.19185" where the address is one of theirs. */
export function sourceText({ cite, url }: ReproductionEntry['paper']): string {
  const number = /arxiv\.org\/abs\/([\d.]+)/.exec(url)?.[1]
  return number === undefined ? cite : `${cite}, arXiv ${number}`
}
