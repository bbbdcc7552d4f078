import { useCallback, useEffect, useRef, useState } from 'react'
import type { Estimate } from '../../shared/contract/runs.ts'
import type { AppError } from '../../shared/errors.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { asAppError } from '../api/client.ts'
import { callApp } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import { useSettled } from './use-train.ts'

const IDLE_MS = 1000

interface Measured {
  readonly of: string
  readonly estimate: Estimate | null
  readonly error: AppError | null
  readonly tookMs: number
}

export interface EstimateState {
  readonly measured: Measured | null
  /** When the dry run in progress began; null when none is. */
  readonly startedAtMs: number | null
  /** The shown numbers are of other settings than those in the form. */
  readonly outdated: boolean
  readonly automatic: boolean
  /** Kept for the next time. */
  setAutomatic(on: boolean): void
  start(): void
  /** Ends the dry run; no new one begins by itself while the page is open. */
  cancel(): void
}

/**
 * What only touches the number of runs or their name needs no new dry step: seeds and name are left out of the key.
 */
function keyOf(request: RunRequestInput): string {
  const { seeds: _seeds, name: _name, ...rest } = request
  return JSON.stringify(rest)
}

/** This page, for the app: what it asked last is all that it waits for. */
const ASKER = crypto.randomUUID()

function letGo(): void {
  callApp('runs.cancelEstimate', { asker: ASKER }).catch(() => undefined) // an app that is gone has no dry run
}

/** A real dry step, one at a time, begun by hand or when the form has rested for a second; a newer one ends the older. */
export function useEstimate(request: RunRequestInput, valid: boolean): EstimateState {
  const [measured, setMeasured] = useState<Measured | null>(null)
  const [running, setRunning] = useState<{ readonly of: string; readonly startedAtMs: number } | null>(null)
  const [wanted, setWanted] = useViewState<boolean>('train.estimateAtRest', true)
  const [held, setHeld] = useState(false)
  const automatic = wanted && !held
  const job = useRef(0)
  const key = keyOf(request)
  const settled = useSettled(key, IDLE_MS)

  const start = useCallback(() => {
    const mine = ++job.current
    const begin = performance.now()
    setRunning({ of: key, startedAtMs: Date.now() })
    const finish = (estimate: Estimate | null, error: AppError | null): void => {
      if (job.current !== mine) return
      setRunning(null)
      setMeasured({ of: key, estimate, error, tookMs: performance.now() - begin })
    }
    callApp('runs.estimate', { request, asker: ASKER }).then(
      (estimate) => finish(estimate, null),
      (error: unknown) => finish(null, asAppError(error)),
    )
  }, [key, request])

  const due = automatic && valid && settled === key && running?.of !== key && measured?.of !== key
  useEffect(() => {
    if (due) start()
    // A new request object with the same key must not start a second dry run.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [due, key])
  useEffect(
    () => () => {
      job.current += 1
      letGo() // it would take time from the run that was started
    },
    [],
  )

  return {
    measured,
    startedAtMs: running?.startedAtMs ?? null,
    outdated: measured !== null && measured.of !== key,
    automatic,
    setAutomatic(on) {
      setHeld(false)
      setWanted(on)
    },
    start,
    cancel() {
      job.current += 1
      setRunning(null)
      setHeld(true)
      letGo()
    },
  }
}
