import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { ModelDetail } from '../../shared/contract/models.ts'
import type { ModelId } from '../../shared/domain.ts'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Panel } from '../parts/Panel.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { ModelActions } from './ModelActions.tsx'
import { ModelSide } from './ModelSide.tsx'
import { ModelState } from './ModelState.tsx'
import { TensorTable } from './TensorTable.tsx'
import { VerifyNotice } from './VerifyNotice.tsx'

export function ModelView({ modelId }: { readonly modelId: ModelId }): ReactNode {
  const { data: model, error, refetch } = useCall('models.get', { modelId })
  useCrumbs([{ label: 'Models', href: '/models' }, { label: model?.name ?? '…' }])
  if (error !== null)
    return (
      <div className="pad">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (model === undefined) return <Loading what="Reading the model" />
  return (
    <div className="with-side">
      <div className="page">
        <header className="page-head">
          <div className="grow">
            <div className="row wrap">
              <h1>{model.name}</h1>
              <ModelState model={model} />
              <Chip>
                {model.family} {model.kind}
              </Chip>
              <Chip title={model.hash}>
                sha256 <span className="mono">{model.hash.slice(0, 8)}</span>
              </Chip>
            </div>
            <p className="text-2">
              <span className="mono">{formatCount(model.parameterCount)}</span> weights,{' '}
              <span className="mono">{formatBytes(model.sizeBytes)}</span> as{' '}
              <span className="mono">{model.dtype}</span>, {model.place === 'link' ? 'linked' : 'copied'}, added{' '}
              <RelativeTime atMs={model.addedAtMs} />
            </p>
          </div>
          <ModelActions model={model} />
        </header>
        <VerifyNotice model={model} />
        <Lineage model={model} />
        <TensorTable tensors={model.tensors} unusedCount={model.unusedCount} />
      </div>
      <SidePanel id="model" label="About this model" width={380}>
        <ModelSide model={model} />
      </SidePanel>
    </div>
  )
}

/** Where it came from, and what came from it. */
function Lineage({ model }: { readonly model: ModelDetail }): ReactNode {
  return (
    <Panel
      title="Lineage"
      note={
        model.runs.length === 0
          ? undefined
          : `${formatCount(model.runs.length)} ${model.runs.length === 1 ? 'run' : 'runs'} started from it`
      }
    >
      <dl className="facts">
        <div>
          <dt>From</dt>
          <dd>
            {model.originRunId === null ? (
              <span className="mono">{model.source}</span>
            ) : (
              <>
                a checkpoint of <Link href={`/runs/${model.originRunId}`}>{model.originRunId}</Link>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Files</dt>
          <dd className="mono">{model.path}</dd>
        </div>
        <div>
          <dt>Hash</dt>
          <dd className="mono">{model.hash}</dd>
        </div>
      </dl>
      {model.runs.length === 0 ? (
        <p className="small text-3">No run has started from it yet.</p>
      ) : (
        <ul className="plain-list model-runs">
          {model.runs.map((run) => (
            <li key={run.runId} className="row">
              <RunSwatch runId={run.runId} groupHash={run.groupHash} />
              <Link className="mono ellipsis" href={`/runs/${run.runId}`}>
                {run.name} s{run.seed}
              </Link>
              <span className="small text-2 grow ellipsis">{run.methodName}</span>
              <StatusMark run={run} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
