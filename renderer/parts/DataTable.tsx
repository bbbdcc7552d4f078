import type { MouseEvent, ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'

export interface Column<Row> {
  readonly id: string
  readonly title: ReactNode
  /** Right-aligned, monospace. */
  readonly number?: boolean
  /** Given: the head sorts by it. Null goes last. */
  sortBy?(row: Row): number | string | null
  render(row: Row): ReactNode
}

export interface Sorting {
  readonly column: string
  readonly descending: boolean
}

interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly sorting?: Sorting
  rowKey(row: Row): string
  isSelected?(row: Row): boolean
  onSort?(sorting: Sorting): void
  onRowClick?(row: Row, event: MouseEvent): void
}

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | undefined,
): readonly Row[] {
  const by = columns.find((column) => column.id === sorting?.column)?.sortBy
  if (by === undefined || sorting === undefined) return rows
  const sign = sorting.descending ? -1 : 1
  return rows.toSorted((one, two) => {
    const first = by(one)
    const second = by(two)
    if (first === null || second === null) return first === second ? 0 : first === null ? 1 : -1
    return (
      sign *
      (typeof first === 'number' && typeof second === 'number'
        ? first - second
        : String(first).localeCompare(String(second)))
    )
  })
}

export function DataTable<Row>({
  label,
  columns,
  rows,
  sorting,
  rowKey,
  isSelected,
  onSort,
  onRowClick,
}: DataTableProps<Row>): ReactNode {
  const shown = sortRows(rows, columns, sorting)
  return (
    <table className="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <HeadCell key={column.id} column={column} sorting={sorting} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr
            key={rowKey(row)}
            aria-selected={isSelected?.(row) === true ? true : undefined}
            onClick={(event) => onRowClick?.(row, event)}
          >
            {columns.map((column) => (
              <td key={column.id} className={column.number === true ? 'num' : undefined}>
                {column.render(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface HeadCellProps<Row> {
  readonly column: Column<Row>
  readonly sorting: Sorting | undefined
  readonly onSort: ((sorting: Sorting) => void) | undefined
}

function HeadCell<Row>({ column, sorting, onSort }: HeadCellProps<Row>): ReactNode {
  const className = column.number === true ? 'num' : undefined
  if (column.sortBy === undefined || onSort === undefined)
    return (
      <th scope="col" className={className}>
        {column.title}
      </th>
    )
  const active = sorting?.column === column.id
  const descending = active && sorting.descending
  const Arrow = descending ? ArrowDown : ArrowUp
  return (
    <th scope="col" className={className} aria-sort={active ? (descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" onClick={() => onSort({ column: column.id, descending: active && !descending })}>
        {column.title}
        {active ? <Arrow className="icon icon-s" aria-hidden="true" /> : null}
      </button>
    </th>
  )
}
