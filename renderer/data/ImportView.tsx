import { useState, type ReactNode } from 'react'
import { ArrowLeftRight } from 'lucide-react'
import type { ImportMapping, Inspection } from '../../shared/contract/datasets.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Field } from '../parts/Field.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { ColumnRoles } from './ColumnRoles.tsx'
import { LabelQuestionPanel } from './LabelReading.tsx'
import { PairPreview } from './PairPreview.tsx'
import { PreviewPanel } from './PreviewPanel.tsx'
import { SingleAnswers } from './SingleAnswers.tsx'

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
  const alone = inspection !== undefined && inspection.unpaired !== null
  const run = (): void => {
    if (alone) asAnswers.mutate({ path, name: name ?? '' })
    else if (inspection !== undefined) start.mutate({ path, name: name ?? '', mapping: inspection.mapping })
  }
  useCommands([
    {
      id: 'import.start',
      title: 'Import this file',
      group: 'Data',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: alone ? asAnswers.isPending : !ready,
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
            keys="mod+enter"
            disabled={asAnswers.isPending}
            title="Prompt, one answer, and whether it is good or bad where the file says so: for KTO, BCO and SFT"
            onClick={run}
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
  return (
    <PreviewPanel
      rows={inspection.rows}
      empty="No row can be read with these roles yet. Give the columns below their roles."
      tools={
        <Button small icon={ArrowLeftRight} aria-pressed={inspection.mapping.flip} onClick={onFlip}>
          Swap the direction
        </Button>
      }
    >
      {({ sentence, prompt, a, b }) => (
        <>
          <p className="pair-sentence">{sentence}</p>
          <PairPreview prompt={prompt} a={a} b={b} winner={null} />
        </>
      )}
    </PreviewPanel>
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
