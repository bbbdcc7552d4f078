import { useState, type ReactNode } from 'react'
import {
  Box,
  ChartNoAxesCombined,
  Copy,
  Ellipsis,
  MessagesSquare,
  PackageOpen,
  RotateCcw,
  Save,
  Square,
  Trash2,
  CopyPlus,
} from 'lucide-react'
import { Link } from 'wouter'
import { formatModelReference } from '../../shared/model-reference.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { isLive } from '../../shared/domain.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCommands, type Command } from '../frame/commands.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { useRunKind } from './run-kind.ts'
import { sayPhase } from './waiting-words.ts'
import { DeleteDialog } from './DeleteDialog.tsx'
import { StopDialog } from './StopDialog.tsx'
import { formatBytes, formatCount, formatDuration, formatNumber } from '../../shared/units.ts'
import { MenuButton, type MenuItem } from '../parts/MenuButton.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { showToast } from '../parts/toast.tsx'
import { AddModel } from '../models/AddModel.tsx'
import { copyText } from './copy-text.ts'
import { ExportDialog } from './ExportDialog.tsx'

/** Name, state, progress, what can be done with the run, and one line of facts. */
export function RunHead({ run }: { readonly run: RunDetail }): ReactNode {
  return (
    <header className="run-head">
      <div className="row">
        <RunSwatch runId={run.runId} groupHash={run.groupHash} />
        <h1 className="mono ellipsis" title={run.runId}>
          {run.name}
        </h1>
        <span className="mono text-2 nowrap">seed {run.seed}</span>
      </div>
      <Progress run={run} />
      <Actions run={run} />
      <Facts run={run} />
    </header>
  )
}

function Progress({ run }: { readonly run: RunDetail }): ReactNode {
  const kind = useRunKind(run)
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : null
  return (
    <div className="row gap-3">
      {/* Who reads its page by ear hears that it ends. */}
      <output>
        <StatusMark run={run} />
      </output>
      {run.state === 'queued' ? (
        <span className="text-2 nowrap">
          place <span className="mono">{run.queuePosition ?? '–'}</span> in the queue
        </span>
      ) : null}
      {isLive(run.state) ? <ProgressBar value={share} label="Progress of the run" width={110} /> : null}
      {run.state === 'queued' ? null : (
        <span className="mono nowrap">
          {formatCount(run.step)} / {formatCount(run.totalSteps)}
        </span>
      )}
      {isLive(run.state) && run.remainingMs !== null ? (
        <span className="text-2 nowrap">{formatDuration(run.remainingMs)} left</span>
      ) : null}
      {!isLive(run.state) && run.endedAtMs !== null && run.trainedMs !== null ? (
        <span className="text-2 nowrap">took {formatDuration(run.trainedMs)}</span>
      ) : null}
      {isLive(run.state) && run.phase !== '' && run.phase !== 'training' ? (
        <span className="text-3 nowrap">{sayPhase(run, kind)}</span>
      ) : null}
    </div>
  )
}

function Facts({ run }: { readonly run: RunDetail }): ReactNode {
  const last = run.checkpoints.at(-1)
  const parameters = run.facts['parameters'] ?? run.facts['parameterCount']
  const peak = run.facts['peakBytes']
  return (
    <div className="run-facts">
      <span>
        Method <b>{run.methodName}</b>
      </span>
      <span>
        Data <Link href={`/data/${run.datasetId}`}>{run.datasetName}</Link>
      </span>
      <span title={typeof run.facts['device'] === 'string' ? run.facts['device'] : undefined}>
        Engine <b>{run.engine}</b>
      </span>
      {typeof parameters === 'number' ? (
        <span>
          Model <b className="mono">{formatCount(parameters)}</b> weights
        </span>
      ) : null}
      {run.speed.stepsPerSec === null ? null : (
        <span>
          Speed <b className="mono">{formatNumber(run.speed.stepsPerSec, 2)}</b> steps/s
        </span>
      )}
      {typeof peak === 'number' ? (
        <span>
          Peak memory <b className="mono">{formatBytes(peak)}</b>
        </span>
      ) : null}
      {run.speed.rssBytes === null || typeof peak === 'number' ? null : (
        <span>
          Memory <b className="mono">{formatBytes(run.speed.rssBytes)}</b>
        </span>
      )}
      {last === undefined ? (
        <span>No checkpoint yet</span>
      ) : (
        <span>
          Last checkpoint <b className="mono">{last.step}</b>, <RelativeTime atMs={last.atMs} />
        </span>
      )}
      <span>
        Created <RelativeTime atMs={run.createdAtMs} />
      </span>
    </div>
  )
}

function Actions({ run }: { readonly run: RunDetail }): ReactNode {
  const [open, setOpen] = useState<'delete' | 'export' | 'add' | 'stop' | null>(null)
  const saved = run.checkpoints.length > 0
  const changes = {
    invalidate: ['runs.list', 'runs.get'] as const,
    onError: (error: Error) => showToast(error.message, { tone: 'bad' }),
  }
  const stop = useMutate('runs.stop', changes)
  const resume = useMutate('runs.resume', changes)
  const checkpoint = useMutate('runs.checkpoint', {
    ...changes,
    onSuccess: () => showToast('A checkpoint is written after this step.'),
  })
  const live = isLive(run.state)
  const one = { runId: run.runId }
  const save = (): void => stop.mutate({ ...one, mode: 'stop-and-save' })
  const compare = (): void => goTo(`/compare?runs=${run.runId}`)
  const clone = (): void => goTo(`/train?from=${run.runId}`)
  // With the same settings it would find no room again.
  const full = run.error?.code === 'out-of-memory'
  const algorithm = useCall('algorithms.list', {}).data?.find((one) => one.id === run.method)
  const canWrite = algorithm?.role === 'policy' && algorithm.data === 'response-pairs' && run.checkpoints.length > 0
  const checkpointName = run.checkpoints.some((one) => one.best) ? 'best' : 'last'
  const play = (): void =>
    goTo(`/playground?left=${formatModelReference({ kind: 'run', run: run.runId, checkpoint: checkpointName })}`)
  const commands: Command[] = [
    { id: 'run.compare', title: 'Compare this run', group: 'Run', keys: ['c'], run: compare },
    {
      id: 'run.playground',
      title: 'Write with this run in the Playground',
      group: 'Run',
      keys: ['y'],
      disabled: !canWrite,
      run: play,
    },
    { id: 'run.clone', title: 'Clone this run', group: 'Run', run: clone },
    {
      id: 'run.checkpoint',
      title: 'Write a checkpoint now',
      group: 'Run',
      keys: ['k'],
      disabled: !live,
      run: () => checkpoint.mutate(one),
    },
    { id: 'run.save', title: 'Stop and save', group: 'Run', keys: ['s'], disabled: !live, run: save },
    {
      id: 'run.export',
      title: 'Export the model of this run',
      group: 'Run',
      keys: ['x'],
      disabled: !saved,
      run: () => setOpen('export'),
    },
    {
      id: 'run.add-model',
      title: 'Add this run’s checkpoint to the models',
      group: 'Run',
      disabled: !saved,
      run: () => setOpen('add'),
    },
    {
      id: 'run.resume',
      title: 'Resume from the last checkpoint',
      group: 'Run',
      keys: ['r'],
      disabled: !run.resumable,
      run: () => resume.mutate(one),
    },
  ]
  useCommands(commands)
  const menu: MenuItem[] = [
    { id: 'playground', title: 'Open in Playground', icon: MessagesSquare, disabled: !canWrite, run: play },
    { id: 'clone', title: 'Clone with other settings', icon: CopyPlus, run: clone },
    {
      id: 'command',
      title: 'Copy the command',
      icon: Copy,
      run: () => copyText(run.command, 'The command is copied.'),
    },
    {
      id: 'export',
      title: 'Export model …',
      icon: PackageOpen,
      disabled: run.exportForms.length === 0,
      run: () => setOpen('export'),
    },
    { id: 'add-model', title: 'Add to the models …', icon: Box, disabled: !saved, run: () => setOpen('add') },
    {
      id: 'checkpoint',
      title: 'Write a checkpoint now',
      icon: Save,
      disabled: !live,
      run: () => checkpoint.mutate(one),
    },
    {
      id: 'stop',
      title: live ? 'Stop without saving …' : 'Take out of the queue',
      icon: Square,
      danger: true,
      disabled: !live && run.state !== 'queued',
      run: () => (live ? setOpen('stop') : stop.mutate({ ...one, mode: 'stop' })),
    },
    { id: 'delete', title: 'Delete …', icon: Trash2, danger: true, disabled: live, run: () => setOpen('delete') },
  ]
  return (
    <div className="row run-actions">
      {live ? (
        <Button icon={Square} keys="s" disabled={stop.isPending} onClick={save}>
          Stop, save
        </Button>
      ) : null}
      {full ? (
        <Button look="primary" icon={CopyPlus} onClick={clone}>
          Clone with other settings
        </Button>
      ) : null}
      {run.resumable ? (
        <Button
          look={full ? 'normal' : 'primary'}
          icon={RotateCcw}
          keys="r"
          disabled={resume.isPending}
          onClick={() => resume.mutate(one)}
        >
          Resume
        </Button>
      ) : null}
      <Button icon={ChartNoAxesCombined} keys="c" onClick={compare}>
        Compare
      </Button>
      <MenuButton label="More actions" icon={Ellipsis} items={menu} />
      {open === 'stop' ? <StopDialog run={run} onClose={() => setOpen(null)} /> : null}
      {open === 'delete' ? <DeleteDialog run={run} onClose={() => setOpen(null)} /> : null}
      {open === 'export' ? <ExportDialog run={run} onClose={() => setOpen(null)} /> : null}
      {open === 'add' ? <AddModel runId={run.runId} onClose={() => setOpen(null)} /> : null}
    </div>
  )
}
