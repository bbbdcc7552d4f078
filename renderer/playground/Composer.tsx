import { useState, type ReactNode } from 'react'
import { Play, RefreshCw, Square } from 'lucide-react'
import { useCommands } from '../frame/commands.ts'
import { Button } from '../parts/Button.tsx'
import type { Playground } from './use-playground.ts'

const DRAFT_KEY = 'pairlab.playground.draft'

/** The prompt that every open side gets. */
export function Composer({ playground }: { readonly playground: Playground }): ReactNode {
  const { choices, busy, problems, turns } = playground
  const [text, setText] = useState(() => window.sessionStorage.getItem(DRAFT_KEY) ?? '')
  const wrong = Object.values(problems)[0]
  const ready = !busy && wrong === undefined && (text.trim() !== '' || choices.mode === 'complete')
  const canAgain = !busy && wrong === undefined && turns.length > 0

  function write(next: string): void {
    setText(next)
    window.sessionStorage.setItem(DRAFT_KEY, next)
  }

  function run(): void {
    if (!ready) return
    void playground.run(text)
    if (choices.mode === 'chat') write('')
  }

  useCommands([
    {
      id: 'playground.run',
      title: 'Run',
      group: 'Playground',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: !ready,
      run,
    },
    {
      id: 'playground.stop',
      title: 'Stop',
      group: 'Playground',
      keys: ['esc'],
      everywhere: true,
      disabled: !busy,
      run: playground.stop,
    },
    {
      id: 'playground.again',
      title: 'Ask again with a new seed',
      group: 'Playground',
      keys: ['mod+shift+enter'],
      everywhere: true,
      disabled: !canAgain,
      run: () => void playground.again(),
    },
    {
      id: 'playground.clear',
      title: 'Clear what was written',
      group: 'Playground',
      disabled: busy || turns.length === 0,
      run: playground.clear,
    },
  ])

  return (
    <div className="pg-composer">
      <textarea
        className="textarea"
        aria-label={choices.mode === 'chat' ? 'Your turn' : 'Prompt'}
        placeholder={
          choices.mode === 'chat'
            ? 'Write a turn; both sides answer it. Enter sends it, Shift+Enter begins a new line.'
            : 'Write the beginning of a text; both sides go on from it.'
        }
        rows={3}
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          // As in every chat; an Enter that ends a word of an input method is no end of the turn, and a text may have lines.
          const sends = choices.mode === 'chat' && event.key === 'Enter' && !event.nativeEvent.isComposing
          if (!sends || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return
          event.preventDefault()
          run()
        }}
      />
      <div className="col pg-go">
        {busy ? (
          <Button look="primary" icon={Square} keys="esc" onClick={playground.stop}>
            Stop
          </Button>
        ) : (
          <Button look="primary" icon={Play} keys="mod+enter" disabled={!ready} title={wrong} onClick={run}>
            Run
          </Button>
        )}
        <Button
          icon={RefreshCw}
          disabled={!canAgain}
          title="The last prompt again, with a new seed"
          onClick={() => void playground.again()}
        >
          New seed
        </Button>
      </div>
      {wrong === undefined ? null : (
        <p className="small bad" role="alert">
          {wrong}
        </p>
      )}
    </div>
  )
}
