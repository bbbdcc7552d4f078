import { useState, type DragEvent, type ReactNode } from 'react'
import { FileUp, FolderUp } from 'lucide-react'
import { chooseFile } from '../api/client.ts'
import { chooseDataFolder } from '../api/given-folder.ts'
import { useCommands } from '../frame/commands.ts'
import { Button } from '../parts/Button.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { importDrop, openImport } from './import/open-import.ts'
import './data.css'

/** Opens the import page for a file or a folder on this machine: dropped, chosen, or by its path. */
export function ImportBox({ keys }: { readonly keys?: string }): ReactNode {
  const [error, setError] = useState<unknown>(null)
  /** What is being done; null while nothing is. */
  const [busy, setBusy] = useState<string | null>(null)
  const during = (work: Promise<void> | null): void => {
    if (work === null) return
    setBusy('Taking the file …')
    setError(null)
    work.catch((problem: unknown) => setError(problem)).finally(() => setBusy(null))
  }
  const onSent = (sent: number, of: number): void => setBusy(`Taking file ${sent + 1} of ${of} …`)
  const open = (path: string | null): void => void (path === null ? undefined : openImport(path))
  const choose = (): void => during(chooseFile().then(open))
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    during(importDrop(event.dataTransfer, onSent))
  }
  useCommands([
    {
      id: 'data.import',
      title: 'Import a file',
      group: 'Data',
      keys: keys === undefined ? [] : [keys],
      run: choose,
    },
  ])
  return (
    <div className="col gap-3">
      {/* Dropping is a short cut; the button below does the same from the keyboard. */}
      <div className="drop" role="presentation" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <FileUp className="icon" aria-hidden="true" />
        <b aria-live="polite">{busy ?? 'Drop a file or a folder here'}</b>
        <span className="small text-2">
          Pairs, single answers, texts (JSONL, JSON, CSV, TSV, Parquet, lines, also .gz); judged lists (BEIR, MS MARCO,
          LETOR); segments (npz, JSONL). What it is, is seen by its content.
        </span>
      </div>
      {error === null ? null : <ErrorNotice error={error} />}
      <div className="row wrap">
        <Button icon={FileUp} keys={keys} disabled={busy !== null} onClick={choose}>
          Choose a file
        </Button>
        <Button icon={FolderUp} disabled={busy !== null} onClick={() => during(chooseDataFolder(onSent).then(open))}>
          Choose a folder
        </Button>
        <form
          className="row import-path"
          onSubmit={(event) => {
            event.preventDefault()
            const path = String(new FormData(event.currentTarget).get('path') ?? '').trim()
            if (path !== '') openImport(path)
          }}
        >
          <input
            name="path"
            className="input input-small grow mono"
            placeholder="or its path on this machine"
            aria-label="Path of the file or folder on this machine"
          />
        </form>
      </div>
    </div>
  )
}
