import { useEffect, useRef } from 'react'
import type { RunState } from '../../shared/domain.ts'
import { useAppEvent } from '../api/events.ts'
import { useCall } from '../api/queries.ts'
import { useSettings } from '../api/settings.ts'
import { showToast } from '../parts/toast.tsx'
import { tellEnd } from './run-end.ts'
import { goTo } from './location.ts'
import { notifySystem } from './system-notice.ts'
import { noteInTitle, seen } from './window-title.ts'

/** Says when a run ends or fails: in the page, in the window's title while it is not looked at, and to the system where that was chosen. */
export function useRunNotices(): void {
  const states = useRef(new Map<string, RunState>())
  const wanted = useSettings()?.notifyOfRuns === true
  const { data: runs } = useCall('runs.list', {})
  useEffect(() => {
    for (const { runId, state } of runs ?? []) if (!states.current.has(runId)) states.current.set(runId, state)
  }, [runs])
  useEffect(() => {
    const look = (): void => {
      if (isLookedAt()) seen()
    }
    document.addEventListener('visibilitychange', look)
    window.addEventListener('focus', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
      window.removeEventListener('focus', look)
    }
  }, [])
  useAppEvent('run.state', (run) => {
    const told = tellEnd(states.current.get(run.runId), run)
    states.current.set(run.runId, run.state)
    if (told === null) return
    const path = `/runs/${run.runId}`
    // Its own page shows it.
    if (window.location.hash !== `#${path}` || !isLookedAt())
      showToast(told.good ? `${told.title}.` : `${told.title}: ${told.text}`, {
        tone: told.good ? 'good' : 'bad',
        action: { title: 'Open', run: () => goTo(path) },
      })
    if (isLookedAt()) return
    noteInTitle(told.short)
    if (wanted) notifySystem({ title: told.title, text: told.text, path })
  })
}

function isLookedAt(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}
