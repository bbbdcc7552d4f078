import { useState, type ReactNode } from 'react'
import type { DatasetId } from '../../shared/domain.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Section } from '../parts/Panel.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { contentVersion } from './version.ts'

interface GuidelineProps {
  readonly datasetId: DatasetId
  readonly guideline: string
  readonly question: string
  readonly keys: string | undefined
}

/** What counts as better, written by the people who label; its version follows from its words. */
export function Guideline({ datasetId, guideline, question, keys }: GuidelineProps): ReactNode {
  const [editing, setEditing] = useState(false)
  return (
    <Section
      title="Guideline"
      actions={
        <>
          {guideline === '' ? null : (
            <Chip title="Follows from the words: the same text has the same version">
              version {contentVersion(guideline)}
            </Chip>
          )}
          {editing ? null : (
            <Button look="quiet" small onClick={() => setEditing(true)}>
              Edit
            </Button>
          )}
          {keys === undefined ? null : <KeyCap keys={keys} />}
        </>
      }
    >
      {editing ? (
        <GuidelineForm
          datasetId={datasetId}
          guideline={guideline}
          question={question}
          onDone={() => setEditing(false)}
        />
      ) : guideline === '' ? (
        <p className="small text-2">
          None yet. Write down what makes an answer better, so that everyone who labels means the same.{' '}
          <button type="button" className="link-button" onClick={() => setEditing(true)}>
            Write one
          </button>
        </p>
      ) : (
        <div className="guideline small text-2">{guideline}</div>
      )}
    </Section>
  )
}

function GuidelineForm({
  datasetId,
  guideline,
  question,
  onDone,
}: Omit<GuidelineProps, 'keys'> & { onDone(): void }): ReactNode {
  const save = useMutate('datasets.update', { invalidate: ['datasets.get'], onSuccess: onDone })
  return (
    <form
      className="col"
      onSubmit={(event) => {
        event.preventDefault()
        const form = new FormData(event.currentTarget)
        save.mutate({ datasetId, guideline: String(form.get('guideline')), question: String(form.get('question')) })
      }}
    >
      <label className="small text-2" htmlFor="label-question">
        Question over each pair
      </label>
      <input id="label-question" name="question" className="input" defaultValue={question} maxLength={1000} />
      <label className="small text-2" htmlFor="label-guideline">
        Guideline
      </label>
      <textarea
        id="label-guideline"
        name="guideline"
        className="textarea"
        rows={10}
        defaultValue={guideline}
        maxLength={100_000}
      />
      {save.isError ? <ErrorNotice error={save.error} /> : null}
      <div className="row">
        <Button small submit disabled={save.isPending}>
          Save
        </Button>
        <Button small look="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  )
}
