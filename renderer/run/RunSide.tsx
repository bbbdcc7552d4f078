import { useMemo, useRef, useState, type ReactNode } from 'react'
import { Box, Cpu, Database, GitBranch, Save, Sparkles, Waypoints, type LucideIcon } from 'lucide-react'
import { Link } from 'wouter'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { useMutate } from '../api/queries.ts'
import { pointAt } from '../charts/ChartOverlay.tsx'
import { useCrosshair } from '../charts/chart-link.ts'
import { crosshairText, xRange } from '../charts/chart-model.ts'
import { useCommands } from '../frame/commands.ts'
import { Chip } from '../parts/Chip.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { sayCheckpoint } from '../../shared/checkpoint-words.ts'
import { formatBytes, formatCount, formatInterval } from '../../shared/units.ts'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Section } from '../parts/Panel.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { Say } from '../parts/Say.tsx'
import { showToast } from '../parts/toast.tsx'
import type { MetricInfo } from '../../shared/domain.ts'
import type { HealthNote } from './health.ts'
import { Calibration } from './Calibration.tsx'
import { TestValues } from './TestValues.tsx'
import type { RunChart } from './RunCharts.tsx'
import { itemsOf, useRunKind } from './run-kind.ts'

interface RunSideProps {
  readonly run: RunDetail
  readonly health: readonly HealthNote[]
  readonly charts: readonly RunChart[]
  readonly smoothing: number
  readonly infos: readonly MetricInfo[]
}

export function RunSide({ run, health, charts, smoothing, infos }: RunSideProps): ReactNode {
  return (
    <>
      <Health run={run} notes={health} />
      <TestValues run={run} infos={infos} />
      <Calibration run={run} />
      <Values charts={charts} smoothing={smoothing} />
      <Lineage run={run} />
      <Notes key={run.runId} run={run} />
    </>
  )
}

function Health({ run, notes }: { readonly run: RunDetail; readonly notes: readonly HealthNote[] }): ReactNode {
  const fine = notes.filter((note) => note.tone === 'good').length
  const watch = notes.filter((note) => note.tone === 'warn' || note.tone === 'bad').length + run.warnings.length
  return (
    <Section
      title="Health"
      actions={
        <>
          {fine > 0 ? <Chip tone="good">{fine} fine</Chip> : null}
          {watch > 0 ? <Chip tone="warn">{watch} to watch</Chip> : null}
        </>
      }
    >
      <div className="col">
        {notes.map((note) => (
          <Say key={note.id} tone={note.tone}>
            {note.text}
          </Say>
        ))}
        {run.warnings.map((warning) => (
          <Say key={warning.message} tone="warn">
            {warning.message} {warning.hint}
          </Say>
        ))}
        {notes.length + run.warnings.length === 0 ? (
          <p className="small text-3">
            {run.totalSteps === 0
              ? 'Nothing was trained: what is there was measured as it stands.'
              : 'Nothing to say before a fifth of the steps is done.'}
          </p>
        ) : null}
      </div>
    </Section>
  )
}

/** Every line's value at the crosshair, or its last one. */
function Values({
  charts,
  smoothing,
}: {
  readonly charts: readonly RunChart[]
  readonly smoothing: number
}): ReactNode {
  const x = useCrosshair()
  const rows = useMemo(
    () =>
      charts.flatMap(({ plan, model }) => {
        const [from, to] = xRange(model)
        const named = model.series.filter((line) => line.faint !== true)
        return named.flatMap((line) => {
          const at = x ?? line.x.at(-1)
          const point =
            at === undefined ? null : pointAt(line, at, x === null ? Number.POSITIVE_INFINITY : (to - from) * 0.01)
          if (point === null) return []
          const low = line.band?.low[point.at]
          const high = line.band?.high[point.at]
          return [
            {
              key: `${plan.id} ${line.key}`,
              title: named.length > 1 ? `${plan.title}, ${line.label}` : plan.title,
              value: point.y,
              half: low === null || low === undefined || high === null || high === undefined ? null : (high - low) / 2,
            },
          ]
        })
      }),
    [charts, x],
  )
  if (rows.length === 0) return null
  return (
    <Section
      title={
        x === null
          ? 'Latest values'
          : `At ${charts[0]?.model.xTitle ?? 'step'} ${crosshairText(x, charts[0] === undefined ? [0, 1] : xRange(charts[0].model))}`
      }
      note={`training curves smoothed ${smoothing}`}
    >
      <dl className="run-values">
        {rows.map((row) => (
          <div key={row.key}>
            <dt className="ellipsis" title={row.title}>
              {row.title}
            </dt>
            <dd className="mono" title={String(row.value)}>
              {formatInterval(row.value, row.half)}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}

function short(hash: string): string {
  return hash.slice(0, 8)
}

function Lineage({ run }: { readonly run: RunDetail }): ReactNode {
  const { data, model } = run.spec
  const best = run.checkpoints.find((checkpoint) => checkpoint.best)
  const last = run.checkpoints.at(-1)
  const kind = useRunKind(run)
  const items = itemsOf(kind)
  const labeled = kind === null || KIND_WORDS[kind].labeled
  const start =
    kind === 'response-pairs' || kind === 'unpaired-responses' ? 'start weights and reference' : 'start weights'
  return (
    <Section title="Lineage">
      <ol className="lineage">
        <Step icon={Database} title={<Link href={`/data/${data.datasetId}`}>{data.datasetName}</Link>}>
          <span className="mono" title={data.fingerprint}>
            {short(data.fingerprint)}
          </span>
          , {formatCount(data.counts.train)} training {items}
          {!labeled ? '' : `, ${formatCount(data.labelCount)} labels`}
          {data.cutCount > 0
            ? `; ${formatCount(data.cutCount)} ${items} were cut from training to validate on, since the data have no such side`
            : ''}
          <br />
          view{' '}
          <span className="mono" title={data.viewHash}>
            {short(data.viewHash)}
          </span>
          , split seed <span className="mono">{data.split.seed}</span>
          {!labeled
            ? ''
            : `, ${data.aggregation} of ${data.annotators.length === 0 ? 'all annotators' : data.annotators.join(', ')}`}
        </Step>
        {model.kind === 'run' ? (
          <Step icon={GitBranch} title={<Link href={`/runs/${model.runId}`}>{model.runId}</Link>}>
            {start}
            {model.seed === undefined ? '' : `, seed ${model.seed}`}, {sayCheckpoint(model)}
            {model.bySeed === true ? ', chosen seed by seed' : ''}{' '}
            <span className="mono" title={model.hash}>
              {short(model.hash)}
            </span>
          </Step>
        ) : model.kind === 'registered' ? (
          <Step icon={Box} title={<Link href={`/models/${model.modelId}`}>{model.name}</Link>}>
            {start}, a registered model{' '}
            <span className="mono" title={model.hash}>
              {short(model.hash)}
            </span>
          </Step>
        ) : model.kind === 'networks' ? (
          <Step icon={Sparkles} title="New networks">
            drawn from the seed, sized by the settings
          </Step>
        ) : (
          <Step icon={Sparkles} title={`New ${model.preset} model`}>
            {model.tokenizer.kind === 'bpe'
              ? `BPE of ${formatCount(model.tokenizer.vocabSize)} tokens`
              : 'byte tokenizer'}
            , {model.tiedEmbeddings ? 'tied' : 'separate'} embeddings
          </Step>
        )}
        <Step
          icon={Cpu}
          title={
            <>
              <RunSwatch runId={run.runId} groupHash={run.groupHash} /> <b className="mono">{run.name}</b>
            </>
          }
        >
          this run, seed <span className="mono">{run.seed}</span>, settings{' '}
          <span className="mono" title={run.groupHash}>
            {short(run.groupHash)}
          </span>
          <br />
          Pairlab {run.spec.appVersion}, engine {run.engine}
          {typeof run.facts['device'] === 'string' ? `: ${run.facts['device']}` : ''}
          <br />
          {whyEngine(run)}
        </Step>
        {[...new Set([best, last])].map((checkpoint) =>
          checkpoint === undefined ? null : (
            <Step key={checkpoint.step} icon={Save} title={`Checkpoint ${checkpoint.step}`}>
              {checkpoint.best ? 'best so far, ' : ''}
              {formatBytes(checkpoint.sizeBytes)},{' '}
              <span className="mono" title={checkpoint.sha256}>
                {short(checkpoint.sha256)}
              </span>
            </Step>
          ),
        )}
      </ol>
    </Section>
  )
}

/** Why this engine, and whether it is the one that was chosen. */
function whyEngine({ spec, engine }: RunDetail): string {
  const { automatic, why } = spec.engineChoice
  if (engine !== spec.engine) return `chosen by auto was ${spec.engine}, which could not be used`
  return automatic ? `chosen by auto: ${why}` : why
}

function Step({
  icon: Icon = Waypoints,
  title,
  children,
}: {
  readonly icon?: LucideIcon
  readonly title: ReactNode
  readonly children: ReactNode
}): ReactNode {
  return (
    <li>
      <Icon className="icon" aria-hidden="true" />
      <div>
        <div>{title}</div>
        <div className="text-3">{children}</div>
      </div>
    </li>
  )
}

function Notes({ run }: { readonly run: RunDetail }): ReactNode {
  const [text, setText] = useState(run.note)
  const area = useRef<HTMLTextAreaElement>(null)
  const save = useMutate('runs.setNote', {
    invalidate: ['runs.list', 'runs.get'],
    onError: (error) => showToast(error.message, { tone: 'bad' }),
  })
  useCommands([{ id: 'run.note', title: 'Write a note', group: 'Run', keys: ['n'], run: () => area.current?.focus() }])
  return (
    <Section
      title={<label htmlFor="run-note">Notes</label>}
      note={save.isPending ? 'saving' : undefined}
      actions={<KeyCap keys="n" />}
    >
      <textarea
        id="run-note"
        ref={area}
        className="textarea small"
        maxLength={10_000}
        placeholder="What this run is for, what you saw."
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={() => (text === run.note ? undefined : save.mutate({ runId: run.runId, note: text }))}
      />
    </Section>
  )
}
