import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Search } from 'lucide-react'
import { KeyCap } from '../parts/KeyCap.tsx'
import { useAllCommands } from './commands.ts'
import { rankCommands, type Entry } from './palette-search.ts'
import { useSearchables } from './searchables.ts'

/** Every page, data set, run and action in one list; typing narrows it, Enter does it. */
export function CommandPalette({ onClose }: { onClose(): void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const listId = useId()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const commands = useAllCommands()
  const places = useSearchables()
  const entries = useMemo<readonly Entry[]>(
    () => [...commands.filter((command) => command.hidden !== true && command.disabled !== true), ...places],
    [commands, places],
  )
  const shown = useMemo(() => rankCommands(entries, query), [entries, query])
  const chosen = shown[Math.min(at, shown.length - 1)]

  useEffect(() => {
    dialog.current?.setAttribute('closedby', 'any') // as in Dialog
    dialog.current?.showModal()
  }, [])

  useEffect(() => {
    document.getElementById(`${listId}-${chosen?.id ?? ''}`)?.scrollIntoView({ block: 'nearest' })
  }, [listId, chosen])

  function start(entry: Entry | undefined): void {
    if (entry === undefined) return
    dialog.current?.close()
    entry.run()
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((now) => (Math.min(now, shown.length - 1) + step + shown.length) % Math.max(1, shown.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      start(chosen)
    }
  }

  return (
    <dialog ref={dialog} className="palette" aria-label="Search, or run a command" onClose={onClose}>
      <div className="palette-input">
        <Search className="icon text-3" aria-hidden="true" />
        <input
          role="combobox"
          aria-label="Search, or run a command"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={chosen === undefined ? undefined : `${listId}-${chosen.id}`}
          placeholder="A page, a data set, a run, or something to do"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value)
            setAt(0)
          }}
          onKeyDown={onKeyDown}
        />
        <KeyCap keys="esc" />
      </div>
      <div id={listId} className="palette-list" role="listbox" aria-label="What was found">
        {shown.length === 0 ? <div className="palette-group">Nothing is called that.</div> : null}
        {shown.map((entry, index) => (
          <div key={entry.id} role="presentation">
            {entry.group === shown[index - 1]?.group ? null : (
              <div className="palette-group" role="presentation">
                {entry.group}
              </div>
            )}
            <button
              type="button"
              id={`${listId}-${entry.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={entry === chosen}
              className="palette-option"
              onMouseMove={() => setAt(index)}
              onClick={() => start(entry)}
            >
              <span className="ellipsis grow">{entry.title}</span>
              {entry.note === undefined ? null : <span className="small text-3 ellipsis">{entry.note}</span>}
              {entry.keys?.[0] === undefined ? null : <KeyCap keys={entry.keys[0]} />}
            </button>
          </div>
        ))}
      </div>
    </dialog>
  )
}
