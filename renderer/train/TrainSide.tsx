import type { ReactNode } from 'react'
import { Copy } from 'lucide-react'
import { parseSeeds } from '../../shared/form.ts'
import { isLive } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Section } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { copyText } from '../run/copy-text.ts'
import { EstimatePanel } from './EstimatePanel.tsx'
import { TokensPanel } from './TokensPanel.tsx'
import { QueuePanel } from './QueuePanel.tsx'
import { useEstimate } from './use-estimate.ts'
import type { TrainForm } from './use-train.ts'

/** Estimate, command, queue, advice. */
export function TrainSide({ form }: { readonly form: TrainForm }): ReactNode {
  const estimate = useEstimate(form.request, form.valid)
  const runs = useCall('runs.list', {}).data ?? []
  const ahead = runs.filter((run) => isLive(run.state) || run.state === 'queued')
  // Only runs in progress know how long they take; a queue of others has no honest end.
  const queueMs = ahead.some((run) => run.remainingMs === null)
    ? null
    : ahead.reduce((sum, run) => sum + (run.remainingMs ?? 0), 0)
  const training = form.request.training
  const batch = typeof training?.batchSize === 'number' ? training.batchSize : 16
  return (
    <>
      <EstimatePanel
        state={estimate}
        valid={form.valid}
        seeds={parseSeeds(form.draft.seeds)?.length ?? 1}
        batch={batch}
        queueMs={queueMs}
        foreseen={form.check?.memory ?? null}
      />
      <TokensPanel form={form} />
      <Advice form={form} />
      <TerminalPanel command={form.check?.command ?? ''} />
      <QueuePanel runs={runs} />
    </>
  )
}

function TerminalPanel({ command }: { readonly command: string }): ReactNode {
  return (
    <Section
      title="The same from a terminal"
      actions={
        <Button small icon={Copy} disabled={command === ''} onClick={() => copyText(command, 'The command is copied.')}>
          Copy
        </Button>
      }
    >
      {command === '' ? (
        <p className="small text-3">It stands here as soon as the settings are complete.</p>
      ) : (
        <pre className="command">{wrapCommand(command)}</pre>
      )}
    </Section>
  )
}

/** One flag a line, so that it can be read; a terminal takes it as it is. */
export function wrapCommand(command: string): string {
  if (command.includes('\\\n')) return command
  return command.replaceAll(/ (--[a-z])/g, ' \\\n  $1')
}

function Advice({ form }: { readonly form: TrainForm }): ReactNode {
  const advice = form.check?.advice ?? []
  if (form.checkError !== null)
    return (
      <Section title="Before you start">
        <ErrorNotice error={form.checkError} />
      </Section>
    )
  if (advice.length + form.otherProblems.length === 0) return null
  return (
    <Section title="Before you start">
      <div className="col">
        {form.otherProblems.map((problem) => (
          <Say key={problem} tone="bad">
            {problem}
          </Say>
        ))}
        {advice.map((one) => (
          <Say key={one.text} tone={one.level === 'warning' ? 'warn' : 'info'}>
            {one.text}
          </Say>
        ))}
      </div>
    </Section>
  )
}
