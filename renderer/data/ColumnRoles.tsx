import type { ReactNode } from 'react'
import { Check } from 'lucide-react'
import type { ColumnRole, ImportMapping, Inspection } from '../../shared/contract/import-mapping.ts'
import { Chip } from '../parts/Chip.tsx'
import { Panel } from '../parts/Panel.tsx'
import { LabelValues } from './LabelReading.tsx'
import { LAYOUT_WORDS, ROLE_WORDS, setRole } from './roles.ts'

/** What each column is read as, to be changed. */
export function ColumnRoles({
  inspection,
  mapping,
  onChange,
}: {
  readonly inspection: Inspection
  readonly mapping: ImportMapping
  onChange(mapping: ImportMapping): void
}): ReactNode {
  const { missingRoles, unpaired } = inspection
  const missing = missingRoles.map((role) => ROLE_WORDS[role]).join(', ')
  const note =
    missingRoles.length === 0 ? (
      <Chip tone="good">
        <Check className="icon icon-s" aria-hidden="true" />
        all needed roles filled
      </Chip>
    ) : (
      // Single answers can be imported as they are: nothing is wrong then.
      <Chip tone={unpaired === null ? 'warn' : 'plain'}>
        {unpaired === null ? 'still needed' : 'for pairs still needed'}: {missing}
      </Chip>
    )
  return (
    <Panel title="Columns" note="found by name, you can change each" actions={note} flush>
      <div className="pad row">
        <label className="small text-2" htmlFor="layout">
          Layout
        </label>
        <select
          id="layout"
          className="select select-small"
          value={mapping.layout}
          onChange={(event) => onChange({ ...mapping, layout: event.target.value as ImportMapping['layout'] })}
        >
          {Object.entries(LAYOUT_WORDS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div className="table-scroll">
        <table className="table" aria-label="Columns">
          <thead>
            <tr>
              <th scope="col">In the file</th>
              <th scope="col">Read as</th>
              <th scope="col">Type</th>
              <th scope="col" className="num">
                Missing
              </th>
              <th scope="col">Example</th>
            </tr>
          </thead>
          <tbody>
            {inspection.columns.map((column) => (
              <tr key={column.name}>
                <td className="mono">{column.name}</td>
                <td>
                  <select
                    className="select select-small"
                    aria-label={`Role of ${column.name}`}
                    value={column.role}
                    onChange={(event) => onChange(setRole(mapping, column.name, event.target.value as ColumnRole))}
                  >
                    {Object.entries(ROLE_WORDS).map(([role, words]) => (
                      <option key={role} value={role}>
                        {words}
                      </option>
                    ))}
                  </select>
                </td>
                <td className="text-2">{column.type}</td>
                <td className="num">{column.missing === 0 ? '–' : column.missing}</td>
                <td className="example ellipsis">{column.example}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {inspection.unpaired === null && Object.values(mapping.columns).includes('label') ? (
        <LabelValues mapping={mapping} onChange={onChange} />
      ) : null}
    </Panel>
  )
}
