import type { ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import { useCall } from '../api/queries.ts'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'

const LINES_SHOWN = 8

function listLines(lines: readonly number[], count: number): string {
  const shown = lines.slice(0, LINES_SHOWN).join(' ')
  return count > LINES_SHOWN ? `${shown} … (${formatCount(count)} rows)` : shown
}

/** Rows left out and rows kept with a warning, each with its reason. */
export function RowCheck({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const { data } = useCall('datasets.report', { datasetId: detail.datasetId })
  const perPrompt = detail.itemCount / Math.max(1, detail.promptCount)
  const words = KIND_WORDS[detail.kind]
  const problems = (data?.groups ?? []).reduce(
    (sum, { severity, count }) => sum + (severity === 'error' ? count : 0),
    0,
  )
  return (
    <Panel
      title="Row check"
      note={`${formatCount(detail.itemCount)} kept, ${formatCount(detail.rejectedRowCount)} left out`}
    >
      <div className="col gap-3">
        {(data?.groups ?? []).map((group) => (
          <Say key={`${group.severity} ${group.code}`} tone={group.severity === 'error' ? 'bad' : 'warn'}>
            <b>
              {formatCount(group.count)} {group.count === 1 ? 'row' : 'rows'}{' '}
              {group.severity === 'error' ? 'left out' : 'kept'}: {group.reason}
            </b>{' '}
            {group.hint} Lines <span className="mono">{listLines(group.lines, group.count)}</span>
          </Say>
        ))}
        {problems > detail.rejectedRowCount ? (
          <p className="small text-2">Some rows are left out for several of these reasons.</p>
        ) : null}
        {perPrompt > 1.05 ? (
          <Say tone="info">
            <b>
              {formatCount(detail.promptCount)} {words.groups} occur about{' '}
              <span className="mono">{perPrompt.toFixed(1)}</span> times each.
            </b>{' '}
            The split is made by {words.group}, so no {words.group} is in both training and test.
          </Say>
        ) : null}
        {data !== undefined && data.total === 0 ? <Say tone="good">Every row could be read.</Say> : null}
        {data !== undefined && data.total > 0 ? (
          <p className="small text-3">
            The whole list is saved: <code>{data.path}</code>
          </p>
        ) : null}
      </div>
    </Panel>
  )
}
