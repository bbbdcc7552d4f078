import type { ReactNode } from 'react'
import { Play } from 'lucide-react'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { ClaimsTable, StudiesTable } from '../papers/ClaimsTable.tsx'
import { Methods } from '../papers/Methods.tsx'
import { isBusy, minutesText, useReproducing } from '../papers/use-reproduction.ts'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import '../papers/papers.css'

/** What the papers claim, what holds here, and what each method is. */
export function Papers(): ReactNode {
  const list = useCall('papers.list', {})
  const algorithms = useCall('algorithms.list', {})
  const reproducing = useReproducing()
  const claims = (list.data ?? []).filter(({ kind }) => kind === 'claim')
  const studies = (list.data ?? []).filter(({ kind }) => kind === 'study')
  const idle = claims.filter((entry) => !isBusy(entry))
  const runAll = (): void => idle.forEach((entry) => reproducing.start(entry.id, 'quick'))
  useCrumbs([{ label: 'Papers' }])
  useCommands([{ id: 'papers.run-all', title: 'Run every experiment', group: 'Papers', keys: ['r'], run: runAll }])
  if (list.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    )
  if (list.data === undefined) return <Loading what="Reading the experiments" />
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Papers</h1>
          <p className="text-2">
            Does each paper's claim hold on this machine? Every experiment runs here, in a process of its own, and its
            verdict follows from gates that are fixed beforehand.
          </p>
        </div>
        <Button look="primary" icon={Play} keys="r" disabled={idle.length === 0} onClick={runAll}>
          Run all, {minutesText(idle.reduce((sum, entry) => sum + entry.minutes.quick, 0))}
        </Button>
      </header>
      <Panel flush title="Experiments" note="pairlab reproduce does the same in a terminal">
        <ClaimsTable entries={claims} reproducing={reproducing} />
      </Panel>
      <Panel flush title="Studies" note="one setting at a time, all others as the paper has them">
        <StudiesTable entries={studies} reproducing={reproducing} />
      </Panel>
      <h2>Methods</h2>
      {algorithms.data === undefined ? (
        <Loading what="Reading the methods" />
      ) : (
        <Methods algorithms={algorithms.data} />
      )}
    </div>
  )
}
