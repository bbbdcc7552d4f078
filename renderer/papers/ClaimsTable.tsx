import type { ReactNode } from 'react'
import { Play, X } from 'lucide-react'
import { Link } from 'wouter'
import type { ReproductionEntry } from '../../shared/contract/papers.ts'
import { formatDuration } from '../../shared/units.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { bestKept, isBusy, minutesText, sourceText, type Reproducing } from './use-reproduction.ts'
import { VerdictChip } from './verdict.tsx'

interface TableProps {
  readonly entries: readonly ReproductionEntry[]
  readonly reproducing: Reproducing
}

/** One row an experiment: the claim, and what came of it here. */
export function ClaimsTable({ entries, reproducing }: TableProps): ReactNode {
  return (
    <ReproductionTable
      name="Experiments"
      columns={
        <>
          <th scope="col">Experiment</th>
          <th scope="col">The claim</th>
          <th scope="col">Here</th>
          <th scope="col" className="num">
            Gates
          </th>
        </>
      }
    >
      {entries.map((entry) => (
        <ClaimRow key={entry.id} entry={entry} reproducing={reproducing} />
      ))}
    </ReproductionTable>
  )
}

/** One row a study: what it asks, and when it was last done here. */
export function StudiesTable({ entries, reproducing }: TableProps): ReactNode {
  return (
    <ReproductionTable
      name="Studies"
      columns={
        <>
          <th scope="col">Study</th>
          <th scope="col">What it asks</th>
        </>
      }
    >
      {entries.map((entry) => (
        <tr key={entry.id}>
          <NameCell entry={entry} />
          <td className="wrap-cell">{entry.about}</td>
          <LastRun entry={entry} />
          <RunCell entry={entry} reproducing={reproducing} />
        </tr>
      ))}
    </ReproductionTable>
  )
}

function ReproductionTable({
  name,
  columns,
  children,
}: {
  readonly name: string
  /** Before those of every table: when it was run, and the button that does. */
  readonly columns: ReactNode
  readonly children: ReactNode
}): ReactNode {
  return (
    <div className="table-scroll">
      <table className="table claims-table" aria-label={name}>
        <thead>
          <tr>
            {columns}
            <th scope="col">Last run</th>
            <th scope="col">
              <span className="hidden-visually">Run</span>
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

interface RowProps {
  readonly entry: ReproductionEntry
  readonly reproducing: Reproducing
}

function NameCell({ entry }: { readonly entry: ReproductionEntry }): ReactNode {
  return (
    <td className="claims-name">
      <Link href={`/papers/${entry.id}`} className="bold mono">
        {entry.id}
      </Link>
      <br />
      <span className="small text-3">{sourceText(entry.paper)}</span>
    </td>
  )
}

function ClaimRow({ entry, reproducing }: RowProps): ReactNode {
  const kept = bestKept(entry)
  return (
    <tr>
      <NameCell entry={entry} />
      <td className="wrap-cell">{entry.about}</td>
      <td>
        {kept === undefined || kept.verdict === null ? (
          <Chip>not run yet</Chip>
        ) : (
          <VerdictChip verdict={kept.verdict} />
        )}
      </td>
      <td className="num">{kept === undefined ? '–' : `${kept.holding} of ${kept.gates}`}</td>
      <LastRun entry={entry} />
      <RunCell entry={entry} reproducing={reproducing} />
    </tr>
  )
}

function LastRun({ entry }: { readonly entry: ReproductionEntry }): ReactNode {
  const kept = bestKept(entry)
  return (
    <td className="small text-2">
      {kept === undefined ? (
        '–'
      ) : (
        <>
          <RelativeTime atMs={kept.startedAtMs} />
          <br />
          {kept.form}, {formatDuration(kept.wallMs)}
        </>
      )}
    </td>
  )
}

function RunCell({ entry, reproducing }: RowProps): ReactNode {
  return (
    <td className="claims-run">
      {isBusy(entry) ? (
        <span className="row gap-1 small text-2">
          {entry.job?.state === 'waiting' ? 'waiting' : (entry.job?.lines.at(-1) ?? 'starting')}
          <Button
            small
            look="quiet"
            icon={X}
            aria-label={`Cancel ${entry.id}`}
            onClick={() => reproducing.cancel(entry.id)}
          />
        </span>
      ) : (
        <Button small icon={Play} aria-label={`Run ${entry.id}`} onClick={() => reproducing.start(entry.id, 'quick')}>
          {minutesText(entry.minutes.quick)}
        </Button>
      )}
    </td>
  )
}
