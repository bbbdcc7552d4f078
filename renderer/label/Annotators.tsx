import { useState, type ReactNode } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { Annotator } from '../../shared/contract/labels.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { queryClient, useCall, useMutate } from '../api/queries.ts'
import { changeSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Section } from '../parts/Panel.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { formatCount } from '../../shared/units.ts'

/** A name is enough: it keeps several people on one machine apart. */
function AnnotatorForm({
  title,
  action,
  onAdded,
}: {
  readonly title: string
  readonly action: string
  onAdded?(): void
}): ReactNode {
  const add = useMutate('annotators.add', {
    onSuccess: (annotator) => {
      // Known before it is chosen: the page asks anew when it meets an unknown name.
      queryClient.setQueryData<Output<'annotators.list'>>(['annotators.list', {}], (known) => [
        ...(known ?? []).filter((one) => one.annotatorId !== annotator.annotatorId),
        annotator,
      ])
      changeSettings({ annotatorId: annotator.annotatorId })
      onAdded?.()
    },
  })
  return (
    <form
      className="col annotator-form"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate({ name: String(new FormData(event.currentTarget).get('name')) })
      }}
    >
      <label htmlFor="annotator-name" className="small text-2">
        {title}
      </label>
      <div className="row">
        <input id="annotator-name" name="name" className="input grow" required maxLength={80} autoComplete="off" />
        <Button submit look="primary" disabled={add.isPending}>
          {action}
        </Button>
      </div>
      {add.isError ? <ErrorNotice error={add.error} /> : null}
    </form>
  )
}

/** Who is labeling: someone known, or a new name. */
export function WhoLabels({
  annotators,
  current,
  action,
  onChosen,
}: {
  readonly annotators: readonly Annotator[]
  readonly current: string | null
  readonly action: string
  onChosen?(): void
}): ReactNode {
  return (
    <div className="who">
      {annotators.length === 0 ? null : (
        <ul className="annotator-list">
          {annotators.map((one) => (
            <li key={one.annotatorId}>
              <button
                type="button"
                aria-current={one.annotatorId === current ? 'true' : undefined}
                onClick={() => {
                  changeSettings({ annotatorId: one.annotatorId })
                  onChosen?.()
                }}
              >
                <span className="annotator-mark" aria-hidden="true">
                  {one.name.slice(0, 1).toUpperCase()}
                </span>
                {one.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      <AnnotatorForm
        title={annotators.length === 0 ? 'Your name' : 'Someone else'}
        action={action}
        {...(onChosen === undefined ? {} : { onAdded: onChosen })}
      />
    </div>
  )
}

export function AnnotatorSection({
  annotator,
  annotators,
}: {
  readonly annotator: Annotator
  readonly annotators: readonly Annotator[]
}): ReactNode {
  const [choosing, setChoosing] = useState(false)
  return (
    <Section title="Annotator">
      <div className="row">
        <span className="annotator-mark" aria-hidden="true">
          {annotator.name.slice(0, 1).toUpperCase()}
        </span>
        <span className="grow ellipsis">{annotator.name}</span>
        <button type="button" className="link-button small" onClick={() => setChoosing(true)}>
          Change
        </button>
      </div>
      <p className="small text-2 section-text">What others answered stays hidden while you label.</p>
      {choosing ? (
        <Dialog title="Who is labeling?" width={420} onClose={() => setChoosing(false)}>
          <WhoLabels
            annotators={annotators}
            current={annotator.annotatorId}
            action="Add"
            onChosen={() => setChoosing(false)}
          />
        </Dialog>
      ) : null}
    </Section>
  )
}

/** One number over all annotators; who said what stays hidden. */
export function AgreementSection({ datasetId }: { readonly datasetId: DatasetId }): ReactNode {
  const agreement = useCall('datasets.agreement', { datasetId }, { keepPrevious: true }).data
  if (agreement === undefined || agreement.bothLabeled === 0) return null
  return (
    <Section title="Agreement" note="beyond chance">
      <p className="small text-2">
        Krippendorff’s α <b className="mono">{agreement.alpha?.toFixed(2) ?? '–'}</b>
        {agreement.alphaLow === null || agreement.alphaHigh === null ? null : (
          <span className="mono">
            {' '}
            [{agreement.alphaLow.toFixed(2)}, {agreement.alphaHigh.toFixed(2)}]
          </span>
        )}{' '}
        over <span className="mono">{formatCount(agreement.bothLabeled)}</span> pairs with several annotators; all agree
        in <span className="mono">{formatCount(agreement.allAgree)}</span>.
      </p>
    </Section>
  )
}
