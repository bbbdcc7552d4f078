import type { ReactNode } from 'react'
import type { RunState } from '../../shared/domain.ts'
import { stateWord } from '../../shared/state-words.ts'

const ring = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.5 } as const
const cut = { fill: 'none', stroke: 'var(--bg)', strokeWidth: 1.5 } as const

/** Word + shape + colour, so that no one of them carries the meaning alone. */
const SHAPES: { readonly [S in RunState]: { readonly tone: string; readonly shape: ReactNode } } = {
  queued: { tone: 'text-2', shape: <circle cx="6" cy="6" r="4.6" strokeDasharray="2.2 1.9" {...ring} /> },
  starting: { tone: 'accent', shape: <circle cx="6" cy="6" r="4.6" {...ring} /> },
  training: {
    tone: 'accent',
    shape: (
      <>
        <circle cx="6" cy="6" r="4.6" {...ring} />
        <path d="M6 1.4a4.6 4.6 0 0 1 0 9.2z" fill="currentColor" />
      </>
    ),
  },
  evaluating: { tone: 'accent', shape: <path d="M6 .8 11.2 6 6 11.2.8 6z" {...ring} /> },
  finished: {
    tone: 'good',
    shape: (
      <>
        <circle cx="6" cy="6" r="5.2" fill="currentColor" />
        <path d="m3.6 6.2 1.7 1.7 3.2-3.6" {...cut} />
      </>
    ),
  },
  failed: {
    tone: 'bad',
    shape: (
      <>
        <path d="M3.6.9h4.8l2.7 2.7v4.8l-2.7 2.7H3.6L.9 8.4V3.6z" fill="currentColor" />
        <path d="m4 4 4 4M8 4 4 8" {...cut} />
      </>
    ),
  },
  cancelled: { tone: 'text-3', shape: <rect x="1.4" y="1.4" width="9.2" height="9.2" rx="1" {...ring} /> },
  interrupted: { tone: 'warn', shape: <path d="M6 .9 11.6 11H.4z" fill="currentColor" /> },
  lost: { tone: 'warn', shape: <path d="M6 1.6 11 10.4H1z" strokeDasharray="2.2 1.6" {...ring} /> },
}

const STOPPED: (typeof SHAPES)[RunState] = {
  tone: 'text-2',
  shape: <rect x="1.4" y="1.4" width="9.2" height="9.2" rx="1" fill="currentColor" />,
}

export function StatusMark({ run }: { readonly run: Parameters<typeof stateWord>[0] }): ReactNode {
  const { tone, shape } = run.stopped === true ? STOPPED : SHAPES[run.state]
  return (
    <span className={`status ${tone}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {shape}
      </svg>
      {stateWord(run)}
    </span>
  )
}
