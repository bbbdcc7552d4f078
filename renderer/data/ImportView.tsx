import { useState, type ReactNode } from 'react'
import { ArrowLeftRight, Check } from 'lucide-react'
import type { ColumnRole, ImportMapping, Inspection } from '../../shared/contract/datasets.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Field } from '../parts/Field.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { ContentText } from './ContentText.tsx'
import { LabelQuestionPanel, LabelValues } from './LabelReading.tsx'
import { SingleAnswers } from './SingleAnswers.tsx'
import { LAYOUT_WORDS, ROLE_WORDS, setRole } from './roles.ts'

/** How a file is read, before anything is stored: roles of the columns, who wins in plain words, rows that fall out. */
export function ImportView({ path }: { readonly path: string }): ReactNode {
  const [mapping, setMapping] = useState<ImportMapping | null>(null)
  const [name, setName] = useState<string | null>(null)
  const { data: inspection, error, refetch } = useCall('datasets.inspect', { path, mapping }, { keepPrevious: true })
  const start = useMutate('datasets.import', { invalidate: ['datasets.importJobs'], onSuccess: () => goTo('/data') })
  useCrumbs([{ label: 'Data', href: '/data' }, { label: 'Import' }])
  const asTexts = useMutate('texts.import', { invalidate: ['datasets.list'], onSuccess: () => goTo('/data') })
  const asAnswers = useMutate('unpaired.import', {
    invalidate: ['datasets.list'],
    onSuccess: ({ datasetId }) => goTo(`/data/${datasetId}`),
  })
  const ready =
    inspection !== undefined &&
    inspection.missingRoles.length === 0 &&
    inspection.questions.length === 0 &&
    inspection.rows.length > 0 &&
    !start.isPending
  const run = (): void => {
    if (inspection !== undefined) start.mutate({ path, name: name ?? '', mapping: inspection.mapping })
  }
  useCommands([
    {
      id: 'import.start',
      title: 'Import this file',
      group: 'Data',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: !ready,
      run,
    },
  ])
  const unread = inspection !== undefined && inspection.rows.length === 0 && FEATURE_FILE.test(path)
  if (error !== null || unread) {
    return (
      <div className="page">
        {unread || isFolder(error) || FEATURE_FILE.test(path) ? (
          <JudgedLists path={path} />
        ) : (
          <ErrorNotice error={error} onRetry={() => void refetch()} />
        )}
        <Button className="self-start" onClick={() => goTo('/data')}>
          Back to the data sets
        </Button>
      </div>
    )
  }
  if (inspection === undefined) return <Loading what="Reading the head of the file" />
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Import {inspection.fileName}</h1>
          <p className="text-2">
            <span className="mono">{formatBytes(inspection.sizeBytes)}</span>, {inspection.mapping.format.toUpperCase()}
            ; this preview read <span className="mono">{formatCount(inspection.rowsRead)}</span> rows
          </p>
        </div>
        <Button onClick={() => goTo('/data')}>Cancel</Button>
        <Button
          disabled={asTexts.isPending}
          title="Lines with query, positive and negative, one text a line, or STS-B: for GRACE, embeddings and language models"
          onClick={() => asTexts.mutate({ path, name: name ?? '' })}
        >
          Import as texts
        </Button>
        {inspection.unpaired !== null ? (
          <Button
            look="primary"
            disabled={asAnswers.isPending}
            title="Prompt, one answer, and whether it is good or bad where the file says so: for KTO, BCO and SFT"
            onClick={() => asAnswers.mutate({ path, name: name ?? '' })}
          >
            {asAnswers.isPending ? 'Reading …' : 'Import as single answers'}
          </Button>
        ) : (
          <Button look="primary" keys="mod+enter" disabled={!ready} onClick={run}>
            Import
          </Button>
        )}
      </header>
      {start.error === null ? null : <ErrorNotice error={start.error} />}
      {asTexts.error === null ? null : <ErrorNotice error={asTexts.error} />}
      {asAnswers.error === null ? null : <ErrorNotice error={asAnswers.error} />}
      {inspection.unpaired !== null ? (
        <SingleAnswers found={inspection.unpaired} />
      ) : (
        <>
          {inspection.questions.map((question) => (
            <LabelQuestionPanel
              key={question.columns.join(' ')}
              question={question}
              mapping={latest(mapping, inspection)}
              onChange={setMapping}
            />
          ))}
          <PreviewRows
            inspection={inspection}
            onFlip={() => setMapping({ ...inspection.mapping, flip: !inspection.mapping.flip })}
          />
        </>
      )}
      <div className="two">
        <ColumnRoles inspection={inspection} mapping={latest(mapping, inspection)} onChange={setMapping} />
        <div className="col gap-4">
          <Panel title="Data set">
            <Field
              name="Name"
              help="As it will be listed; the file's name if left empty."
              render={(control) => (
                <input
                  {...control}
                  className="input"
                  maxLength={120}
                  placeholder={inspection.fileName}
                  value={name ?? ''}
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            />
          </Panel>
          <PreviewProblems inspection={inspection} />
        </div>
      </div>
    </div>
  )
}

/** Feature files of learning to rank have no columns to name. */
const FEATURE_FILE = /\.(txt|svm|svmlight|letor)(\.gz)?$/i

function isFolder(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith(' is a folder.')
}

/** A folder or a feature file: queries with judged documents, read whole when they are imported. */
function JudgedLists({ path }: { readonly path: string }): ReactNode {
  const read = useMutate('rankings.import', {
    invalidate: ['datasets.list'],
    onSuccess: ({ datasetId }) => goTo(`/data/${datasetId}`),
  })
  return (
    <Panel title="Judged lists">
      <div className="col gap-3">
        <p className="text-2">
          <span className="mono">{path}</span> can hold queries with judged documents: a BEIR set (corpus.jsonl,
          queries.jsonl, qrels/), MS MARCO’s tables (collection.tsv, queries and qrels), or LETOR features (train.txt,
          vali.txt, test.txt). The split is kept as given.
        </p>
        {read.error === null ? null : <ErrorNotice error={read.error} />}
        <div className="row">
          <Button look="primary" disabled={read.isPending} onClick={() => read.mutate({ path })}>
            {read.isPending ? 'Reading …' : 'Import as judged lists'}
          </Button>
        </div>
      </div>
    </Panel>
  )
}

function PreviewRows({ inspection, onFlip }: { readonly inspection: Inspection; onFlip(): void }): ReactNode {
  const [at, setAt] = useState(0)
  const row = inspection.rows[Math.min(at, inspection.rows.length - 1)]
  const tools = (
    <span className="row">
      <Button small disabled={at === 0} onClick={() => setAt(at - 1)}>
        Previous
      </Button>
      <Button small disabled={at + 1 >= inspection.rows.length} onClick={() => setAt(at + 1)}>
        Next
      </Button>
      <Button small icon={ArrowLeftRight} aria-pressed={inspection.mapping.flip} onClick={onFlip}>
        Swap the direction
      </Button>
    </span>
  )
  return (
    <Panel
      title="Preview"
      note={row === undefined ? undefined : `How Pairlab reads row ${row.line}`}
      actions={tools}
      flush
    >
      {row === undefined ? (
        <p className="pad text-2">No row can be read with these roles yet. Give the columns below their roles.</p>
      ) : (
        <>
          <p className="pair-sentence">{row.sentence}</p>
          <div className="pair">
            <div className="pair-prompt">
              <p className="small text-3">Prompt</p>
              <ContentText value={row.prompt} />
            </div>
            <div className="pair-sides">
              <div className="pair-side">
                <p className="small text-3">answer 1</p>
                <ContentText value={row.a} />
              </div>
              <div className="pair-side">
                <p className="small text-3">answer 2</p>
                <ContentText value={row.b} />
              </div>
            </div>
          </div>
        </>
      )}
    </Panel>
  )
}

/** What was changed last, though the file has not been read with it yet; what the labels mean is the inspection's word unless somebody said it. */
function latest(changed: ImportMapping | null, { mapping }: Inspection): ImportMapping {
  if (changed === null) return mapping
  const { labelValues, labelScale, labelsSaidBy, labelWords } = mapping
  return changed.labelsSaidBy === 'person'
    ? { ...changed, labelWords }
    : { ...changed, labelValues, labelScale, labelsSaidBy, labelWords }
}

function ColumnRoles({
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
        <table className="table">
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

function PreviewProblems({ inspection }: { readonly inspection: Inspection }): ReactNode {
  return (
    <Panel title="Row check" note={`first ${formatCount(inspection.rowsRead)} rows`}>
      <div className="col gap-3">
        {inspection.problems.length === 0 ? <Say tone="good">Every row of the preview can be read.</Say> : null}
        {inspection.problems.slice(0, 12).map((problem) => (
          <Say key={`${problem.line} ${problem.code}`} tone={problem.severity === 'error' ? 'bad' : 'warn'}>
            <b>
              Line <span className="mono">{problem.line}</span>: {problem.reason}
            </b>{' '}
            {problem.hint}
          </Say>
        ))}
        {inspection.problems.length > 12 ? (
          <p className="small text-3">and {formatCount(inspection.problems.length - 12)} more in the preview</p>
        ) : null}
        <p className="small text-3">
          Good rows are kept whatever happens to the others; the list of the rest is saved beside the data.
        </p>
      </div>
    </Panel>
  )
}
