import { useEffect, useState, type ReactNode } from 'react'
import type { DataKind } from '../../shared/data-kinds.ts'
import { callApp, useCall } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import type { ImportChoice } from './import/ImportFrame.tsx'
import { AnswersImport } from './import/AnswersImport.tsx'
import { ListsImport } from './import/ListsImport.tsx'
import { PairsImport } from './import/PairsImport.tsx'
import { SegmentsImport } from './import/SegmentsImport.tsx'
import { TextsImport } from './import/TextsImport.tsx'
import { UnknownImport } from './import/UnknownImport.tsx'

/** What a file or a folder holds, and how it is read, before anything is stored. */
export function ImportView({ path }: { readonly path: string }): ReactNode {
  const { data: found, error, refetch } = useCall('imports.recognize', { path })
  const [said, setSaid] = useState<DataKind | null>(null)
  const [name, setName] = useState('')
  useCrumbs([{ label: 'Data', href: '/data' }, { label: 'Import' }])
  useRelease(path)
  if (error !== null)
    return (
      <div className="page">
        <h1>Import</h1>
        <ErrorNotice error={error} onRetry={() => void refetch()} />
        <Button className="self-start" onClick={() => goTo('/data')}>
          Back to the data sets
        </Button>
      </div>
    )
  if (found === undefined) return <Loading what="Looking at what it holds" />
  const choice: ImportChoice = { found, kind: said ?? found.kind, onKind: setSaid, name, onName: setName }
  switch (choice.kind) {
    case 'response-pairs':
      return <PairsImport choice={choice} />
    case 'unpaired-responses':
      return <AnswersImport choice={choice} />
    case 'contrast-groups':
      return <TextsImport choice={choice} />
    case 'rankings':
      return <ListsImport choice={choice} />
    case 'segment-pairs':
      return <SegmentsImport choice={choice} />
    case null:
      return <UnknownImport choice={choice} />
  }
}

/** A copy that this page sent is needed no longer than the page shows it. */
function useRelease(path: string): void {
  useEffect(
    () => () => {
      // Where the page shows it still, or a file of the same folder, or its folder: that is one copy. React, in development, takes
      // an effect back and does it again.
      const shown = new URLSearchParams(window.location.hash.split('?')[1] ?? '').get('import')
      if (shown === null || !(path.startsWith(shown) || shown.startsWith(path)))
        void callApp('imports.release', { path }).catch(() => undefined) // it goes with the next start
    },
    [path],
  )
}
