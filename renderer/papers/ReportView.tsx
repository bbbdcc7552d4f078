import type { ReactNode } from 'react'
import type { KeptReport, ReproductionReport, ResultCell } from '../../shared/contract/papers.ts'
import { formatNumber } from '../../shared/units.ts'
import { Panel } from '../parts/Panel.tsx'
import { ReportFigureView } from './ReportFigureView.tsx'
import { VerdictChip } from './verdict.tsx'

/** Claims with their numbers first, then figures, then tables, then what a reader must know. */
export function ReportView({ kept: { report } }: { readonly kept: KeptReport }): ReactNode {
  return (
    <>
      {report.gates.length === 0 ? null : <Gates gates={report.gates} />}
      {report.notes.length === 0 ? null : (
        <Panel title="Worth knowing">
          <ul className="deviations small text-2">
            {report.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Panel>
      )}
      {report.figures.length === 0 ? null : (
        <div className="figures">
          {report.figures.map((figure) => (
            <ReportFigureView key={`${figure.kind} ${figure.title}`} figure={figure} />
          ))}
        </div>
      )}
      {report.tables.map((table) => (
        <ResultTableView key={table.title} table={table} />
      ))}
    </>
  )
}

function Gates({ gates }: { readonly gates: ReproductionReport['gates'] }): ReactNode {
  return (
    <Panel flush title="Claims" note="what was measured, beside what is required">
      <div className="table-scroll">
        <table className="table" aria-label="Claims">
          <thead>
            <tr>
              <th scope="col">Claim</th>
              <th scope="col">Measured</th>
              <th scope="col">Required</th>
              <th scope="col">Result</th>
            </tr>
          </thead>
          <tbody>
            {gates.map((gate) => (
              <tr key={`${gate.claim} ${gate.required}`}>
                <td className="wrap-cell">{gate.claim}</td>
                <td className="mono bold wrap-cell">{gate.measured}</td>
                <td className="mono wrap-cell">{gate.required}</td>
                <td>
                  <VerdictChip verdict={gate.verdict} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

function ResultTableView({ table }: { readonly table: ReproductionReport['tables'][number] }): ReactNode {
  const isNumber = table.columns.map((_column, at) => table.rows.every((row) => typeof row[at] !== 'string'))
  return (
    <Panel flush title={table.title}>
      <div className="table-scroll">
        <table className="table" aria-label={table.title}>
          <thead>
            <tr>
              {table.columns.map((column, at) => (
                <th key={column} scope="col" className={isNumber[at] === true ? 'num' : ''}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, no) => (
              <tr key={`${no} ${String(row[0])}`}>
                {row.map((cell, at) => (
                  <td key={table.columns[at] ?? at} className={isNumber[at] === true ? 'num' : ''}>
                    {cellText(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

function cellText(cell: ResultCell): ReactNode {
  if (cell === null) return '–'
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number') return formatNumber(cell)
  return (
    <span title={`n = ${cell.n}`}>
      <b>{formatNumber(cell.mean)}</b>{' '}
      <span className="text-3">
        [{formatNumber(cell.low)}, {formatNumber(cell.high)}]
      </span>
    </span>
  )
}
