import { useState, type DragEvent, type ReactNode } from 'react'
import { FileUp } from 'lucide-react'
import { chooseFile, pathOfFile } from '../api/client.ts'
import { useCommands } from '../frame/commands.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import './data.css'

/** Opens the import page for a file on this machine, a dropped one, or one whose path is typed. */
export function ImportBox({ keys }: { readonly keys?: string }): ReactNode {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const open = (find: () => Promise<string | null>): void => {
    setBusy(true)
    setError(null)
    find()
      .then((path) => (path === null ? undefined : goTo(`/data?import=${encodeURIComponent(path)}`)))
      .catch((problem: unknown) => setError(problem))
      .finally(() => setBusy(false))
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    const file = event.dataTransfer.files[0]
    if (file !== undefined) open(() => pathOfFile(file))
  }
  useCommands([
    {
      id: 'data.import',
      title: 'Import a file',
      group: 'Data',
      keys: keys === undefined ? [] : [keys],
      run: () => open(() => chooseFile()),
    },
  ])
  return (
    <div className="col gap-3">
      {/* Dropping is a short cut; the button below does the same from the keyboard. */}
      <div className="drop" role="presentation" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <FileUp className="icon" aria-hidden="true" />
        <b>{busy ? 'Reading the file …' : 'Drop a file here'}</b>
        <span className="small text-2">
          JSONL, JSON, CSV, TSV, also .gz: pairs with a chosen answer, or columns you name
        </span>
      </div>
      {error === null ? null : <ErrorNotice error={error} />}
      <div className="row wrap">
        <Button icon={FileUp} keys={keys} disabled={busy} onClick={() => open(() => chooseFile())}>
          Choose a file
        </Button>
        <form
          className="row grow"
          onSubmit={(event) => {
            event.preventDefault()
            const path = String(new FormData(event.currentTarget).get('path') ?? '').trim()
            if (path !== '') goTo(`/data?import=${encodeURIComponent(path)}`)
          }}
        >
          <input
            name="path"
            className="input input-small grow mono"
            placeholder="or its path on this machine"
            aria-label="Path of the file on this machine"
          />
        </form>
      </div>
    </div>
  )
}
