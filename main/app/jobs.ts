// Work that takes a while, is told of while it runs, and can be ended: imports, additions of models, engines, experiments,
// dry runs. What is done differs; that it begins, is told, is waited for, is cancelled and is closed with the app does not.
import type { AppError } from '../../shared/errors.ts'

export interface JobState {
  readonly state: 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled'
}

export interface Job<S extends JobState> {
  readonly state: S
  /** Aborted when it is cancelled, or the app closes. */
  readonly signal: AbortSignal
  /** Its state once it has ended, however it did. */
  readonly ended: Promise<S>
  /** Told at once. */
  change(changes: Partial<S>): void
  /** Told a few times a second; the last of it with the end. */
  progress(changes: Partial<S>): void
  /** One that waits is cancelled at once, one that runs when it has tidied up; one that has ended is left as it is. */
  cancel(reason?: unknown): void
}

export interface JobsOptions<S extends JobState> {
  tell(state: S): void
  /** What is to be said of a failure. */
  failure(error: unknown): Partial<S>
  /** Holds of a job that did not come to its end: nothing remains to be waited for. */
  readonly stopped?: Partial<S>
  missing(id: string): AppError
}

export interface Jobs<S extends JobState> {
  /** Ends as `work` does. `outcome` settles as `work` does, for who wants more than the state. */
  start<R>(id: string, state: S, work: (job: Job<S>) => Promise<R>): Job<S> & { readonly outcome: Promise<R> }
  /** One that ended before this process: nobody is told. */
  note(id: string, state: S): void
  get(id: string): Job<S> | null
  /** @throws what `missing` makes */
  find(id: string): Job<S>
  /** In the order in which they began. */
  list(): S[]
  /** While one waits or runs. */
  isBusy(): boolean
  /** Cancels what has not ended, and waits until nothing of it is left. @param reason what `outcome` rejects with, where `work` throws the signal's reason */
  close(reason?: unknown): Promise<void>
}

const TELL_INTERVAL_MS = 250
/** Ended jobs that can still be asked for. */
const KEPT = 50

export function createJobs<S extends JobState>({ tell, failure, stopped, missing }: JobsOptions<S>): Jobs<S> {
  const jobs = new Map<string, Job<S>>()
  const isLive = ({ state }: S): boolean => state === 'waiting' || state === 'running'

  function forgetOld(): void {
    const done = [...jobs].filter(([, job]) => !isLive(job.state))
    for (const [id] of done.slice(0, Math.max(0, done.length - KEPT))) jobs.delete(id)
  }

  function start<R>(
    id: string,
    first: S,
    work: (job: Job<S>) => Promise<R>,
  ): Job<S> & { readonly outcome: Promise<R> } {
    let state = first
    let toldMs = 0
    const abort = new AbortController()
    const done = Promise.withResolvers<S>()
    const set = (changes: Partial<S>): void => void (state = { ...state, ...changes })
    const change = (changes: Partial<S>): void => {
      set(changes)
      toldMs = Date.now()
      tell(state)
    }
    const end = (ended: JobState['state'], changes: Partial<S> = {}): void => {
      if (isLive(state)) change({ ...changes, state: ended } as Partial<S>) // every S has this state
    }
    const started = Promise.withResolvers<R>()
    const job = {
      get state() {
        return state
      },
      signal: abort.signal,
      ended: done.promise,
      change,
      progress(changes: Partial<S>) {
        if (Date.now() - toldMs < TELL_INTERVAL_MS) set(changes)
        else change(changes)
      },
      cancel(reason?: unknown) {
        if (!isLive(state)) return
        if (state.state === 'waiting') end('cancelled', stopped)
        abort.abort(reason)
      },
      outcome: started.promise,
    }
    jobs.delete(id) // a job that is begun again stands behind the others
    jobs.set(id, job)
    forgetOld()
    tell(state)
    const outcome = work(job)
    outcome.then(started.resolve, started.reject)
    started.promise.catch(() => undefined) // the state says so; nobody may be waiting
    outcome
      .then(
        () => end('finished'),
        (error: unknown) =>
          abort.signal.aborted ? end('cancelled', stopped) : end('failed', { ...stopped, ...failure(error) }),
      )
      .then(
        () => done.resolve(state),
        (error: unknown) => done.reject(error as Error),
      )
    return job
  }

  return {
    start,
    note: (id, state) =>
      void jobs.set(id, {
        state,
        signal: new AbortController().signal,
        ended: Promise.resolve(state),
        change: () => undefined,
        progress: () => undefined,
        cancel: () => undefined,
      }),
    get: (id) => jobs.get(id) ?? null,
    find(id) {
      const job = jobs.get(id)
      if (job === undefined) throw missing(id)
      return job
    },
    list: () => [...jobs.values()].map((job) => job.state),
    isBusy: () => [...jobs.values()].some((job) => isLive(job.state)),
    async close(reason) {
      for (const job of jobs.values()) job.cancel(reason)
      await Promise.allSettled([...jobs.values()].map((job) => job.ended))
    },
  }
}
