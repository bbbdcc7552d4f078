import { useState, type ReactNode } from 'react'
import { Box, Plus } from 'lucide-react'
import type { ModelSummary } from '../../shared/contract/models.ts'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { DataTable, type Column, type Sorting } from '../parts/DataTable.tsx'
import { Panel } from '../parts/Panel.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { formatWeights } from '../train/model-size.ts'
import { AddModel } from './AddModel.tsx'
import { ModelJobs } from './ModelJobs.tsx'
import { ModelState } from './ModelState.tsx'

const COLUMNS: readonly Column<ModelSummary>[] = [
  {
    id: 'name',
    title: 'Name',
    sortBy: (row) => row.name,
    render: (row) => (
      <a className="bold ellipsis" href={`#/models/${row.modelId}`}>
        {row.name}
      </a>
    ),
  },
  { id: 'family', title: 'Family', sortBy: (row) => row.family, render: (row) => `${row.family} ${row.kind}` },
  {
    id: 'weights',
    title: 'Weights',
    number: true,
    sortBy: (row) => row.parameterCount,
    render: (row) => <span title={formatCount(row.parameterCount)}>{formatWeights(row.parameterCount)}</span>,
  },
  {
    id: 'dtype',
    title: 'Stored as',
    sortBy: (row) => row.dtype,
    render: (row) => <span className="mono">{row.dtype}</span>,
  },
  {
    id: 'size',
    title: 'Size',
    number: true,
    sortBy: (row) => row.sizeBytes,
    render: (row) => formatBytes(row.sizeBytes),
  },
  {
    id: 'place',
    title: 'Place',
    sortBy: (row) => row.place,
    render: (row) => <span title={row.path}>{row.place === 'link' ? 'linked' : 'copied'}</span>,
  },
  { id: 'state', title: 'State', sortBy: (row) => row.state, render: (row) => <ModelState model={row} /> },
  {
    id: 'licence',
    title: 'Licence',
    sortBy: (row) => row.licenceName,
    render: (row) => row.licenceName ?? <span className="text-3">none found</span>,
  },
  {
    id: 'added',
    title: 'Added',
    sortBy: (row) => row.addedAtMs,
    render: (row) => <RelativeTime atMs={row.addedAtMs} />,
  },
]

export function ModelList(): ReactNode {
  const [sorting, setSorting] = useState<Sorting>({ column: 'added', descending: true })
  const [adding, setAdding] = useState(false)
  const { data, error, refetch } = useCall('models.list', {})
  useCrumbs([{ label: 'Models' }])
  useCommands([{ id: 'models.add', title: 'Add a model', group: 'Models', keys: ['a'], run: () => setAdding(true) }])
  const add = (
    <Button look="primary" icon={Plus} keys="a" onClick={() => setAdding(true)}>
      Add a model
    </Button>
  )
  const totalBytes = data?.reduce((sum, model) => sum + model.sizeBytes, 0) ?? 0
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Models</h1>
          <p className="text-2">
            {data === undefined || data.length === 0 ? (
              'What runs can start from: folders in the layout of the Hugging Face libraries, GGUF files, and checkpoints of runs.'
            ) : (
              <>
                <span className="mono">{formatCount(data.length)}</span> {data.length === 1 ? 'model' : 'models'},{' '}
                <span className="mono">{formatBytes(totalBytes)}</span> of weights
              </>
            )}
          </p>
        </div>
        {data === undefined || data.length === 0 ? null : add}
      </header>
      <ModelJobs />
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="Looking at the models" /> : null}
      {data !== undefined && data.length === 0 ? (
        <EmptyState
          icon={Box}
          title="No model yet"
          text="Add a folder with config.json, safetensors and tokenizer.json, or a GGUF file: Llama, SmolLM, Mistral, Qwen2 or Qwen3, as a folder also GPT-2. It can stay where it is."
          action={add}
        />
      ) : null}
      {data !== undefined && data.length > 0 ? (
        <Panel flush>
          <div className="table-scroll">
            <DataTable
              label="Models"
              columns={COLUMNS}
              rows={data}
              rowKey={(row) => row.modelId}
              sorting={sorting}
              onSort={setSorting}
              onRowClick={(row) => goTo(`/models/${row.modelId}`)}
            />
          </div>
        </Panel>
      ) : null}
      {adding ? <AddModel onClose={() => setAdding(false)} /> : null}
    </div>
  )
}
