import { useMemo, useRef, useState, type ReactNode } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import type { ModelDetail } from '../../shared/contract/models.ts'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { Chip } from '../parts/Chip.tsx'
import { Panel } from '../parts/Panel.tsx'

const ROW_PX = 28

interface TensorTableProps {
  readonly tensors: ModelDetail['tensors']
  readonly unusedCount: number
}

/** Every tensor in the files; only the rows in view are drawn. Those that nothing reads are marked. */
export function TensorTable({ tensors, unusedCount }: TensorTableProps): ReactNode {
  const [search, setSearch] = useState('')
  const [only, setOnly] = useState(false)
  const shown = useMemo(
    () =>
      tensors.filter((tensor) => (!only || tensor.unused) && tensor.name.toLowerCase().includes(search.toLowerCase())),
    [tensors, search, only],
  )
  const files = useMemo(() => new Set(tensors.map((tensor) => tensor.file)).size, [tensors])
  const scroller = useRef<HTMLDivElement>(null)
  // Its answers are used in this component alone, which no compiler memoizes.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  })
  if (tensors.length === 0)
    return (
      <Panel title="Tensors">
        <p className="text-2">They are read from the files, which are not there now.</p>
      </Panel>
    )
  return (
    <Panel
      flush
      title="Tensors"
      note={`${formatCount(shown.length)} of ${formatCount(tensors.length)} in ${files === 1 ? 'one file' : `${files} files`}`}
      actions={
        <span className="row">
          {unusedCount === 0 ? (
            <Chip tone="good">all used</Chip>
          ) : (
            <label className="check small">
              <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />
              only the {formatCount(unusedCount)} not used
            </label>
          )}
          <input
            className="input input-small"
            type="search"
            placeholder="Filter"
            aria-label="Filter the tensors"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        </span>
      }
    >
      <div role="table" aria-label="Tensors" aria-rowcount={shown.length + 1} className="tensors">
        <div role="row" className="tensor-row tensor-head" aria-rowindex={1}>
          <span role="columnheader">Name</span>
          <span role="columnheader">Stored as</span>
          <span role="columnheader" className="right">
            Shape
          </span>
          <span role="columnheader" className="right">
            Size
          </span>
          <span role="columnheader">File</span>
        </div>
        <div ref={scroller} className="tensor-scroll" role="rowgroup" tabIndex={0} aria-label="Rows of tensors">
          <div role="presentation" style={{ height: rows.getTotalSize(), position: 'relative' }}>
            {rows.getVirtualItems().map((item) => {
              const tensor = shown[item.index]
              if (tensor === undefined) return null
              return (
                <div
                  key={tensor.name}
                  role="row"
                  aria-rowindex={item.index + 2}
                  className="tensor-row"
                  style={{
                    position: 'absolute',
                    top: 0,
                    left: 0,
                    right: 0,
                    height: ROW_PX,
                    transform: `translateY(${item.start}px)`,
                  }}
                >
                  <span role="cell" className="mono ellipsis" title={tensor.name}>
                    {tensor.name}
                    {tensor.unused ? (
                      <>
                        {' '}
                        <Chip tone="warn">not used</Chip>
                      </>
                    ) : null}
                  </span>
                  <span role="cell" className="mono">
                    {tensor.dtype}
                  </span>
                  <span role="cell" className="mono right">
                    {tensor.shape.join(' × ')}
                  </span>
                  <span role="cell" className="mono right">
                    {formatBytes(tensor.sizeBytes)}
                  </span>
                  <span role="cell" className="ellipsis text-2" title={tensor.file}>
                    {tensor.file}
                  </span>
                </div>
              )
            })}
          </div>
        </div>
        {shown.length === 0 ? <p className="pad text-2">No tensor matches.</p> : null}
      </div>
    </Panel>
  )
}
