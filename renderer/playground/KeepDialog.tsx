import { useState, type ReactNode } from 'react'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Field } from '../parts/Field.tsx'
import { Section } from '../parts/Panel.tsx'
import type { Bench, BenchChoice, BenchKind } from './use-bench.ts'

interface KeepDialogProps {
  readonly kind: BenchKind
  /** What was kept before, and can grow. */
  readonly benches: readonly DatasetSummary[]
  onChoose(into: Bench): void
  onClose(): void
}

const NEW = ''
const NAMES: Readonly<Record<BenchKind, string>> = {
  'response-pairs': 'Playground pairs',
  'unpaired-responses': 'Playground answers',
}

/** Where answers go from now on: asked once. */
export function KeepDialog({ kind, benches, onChoose, onClose }: KeepDialogProps): ReactNode {
  const [chosen, setChosen] = useState(benches[0]?.datasetId ?? NEW)
  const [name, setName] = useState(NAMES[kind])
  const known = benches.find((one) => one.datasetId === chosen)
  const wrong = known === undefined && name.trim() === ''
  const choose = (): void => {
    if (!wrong) onChoose(known === undefined ? { name: name.trim() } : { datasetId: known.datasetId })
  }
  return (
    <Dialog
      title={kind === 'response-pairs' ? 'Put pairs on the bench' : 'Put single answers on the bench'}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={wrong} onClick={choose}>
            Put it there
          </Button>
        </>
      }
    >
      <form
        className="col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          choose()
        }}
      >
        <p className="text-2">
          {kind === 'response-pairs'
            ? 'The prompt and both answers become a pair that people label, blind: who wrote which is kept with it, and not shown to them.'
            : 'The prompt and the answer become a single answer that people call good or bad. Who wrote it is kept with it, and not shown to them. With both sides open, the two answers become a pair.'}
        </p>
        {benches.length === 0 ? null : (
          <Field
            name="Data set"
            render={(control) => (
              <select
                {...control}
                className="select"
                value={chosen}
                onChange={(event) => setChosen(event.currentTarget.value as typeof chosen)}
              >
                {benches.map((one) => (
                  <option key={one.datasetId} value={one.datasetId}>
                    {one.name} · {one.itemCount}
                  </option>
                ))}
                <option value={NEW}>A new one …</option>
              </select>
            )}
          />
        )}
        {known === undefined ? (
          <Field
            name="Name of the new data set"
            render={(control) => (
              <input
                {...control}
                className="input"
                maxLength={110}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
            )}
          />
        ) : null}
        <p className="small text-3">It is remembered: the next answer goes there by one key.</p>
      </form>
    </Dialog>
  )
}

/** Where answers go, and how it is changed. */
export function BenchSection({ bench: { kind, bench, wanted, ask } }: { readonly bench: BenchChoice }): ReactNode {
  const what = kind === 'response-pairs' ? 'Pairs' : 'Single answers'
  return (
    <Section
      title="To the bench"
      actions={
        <Button small look="quiet" aria-label={`Choose where ${what.toLowerCase()} go`} onClick={ask}>
          {bench === undefined ? 'Choose' : 'Change'}
        </Button>
      }
    >
      {bench === undefined ? (
        <p className="small text-3">
          {wanted === undefined
            ? `${what} go to a data set that you choose once; then one key puts them there.`
            : `The next one makes the data set “${wanted}”.`}
        </p>
      ) : (
        <p className="small">
          {what} go to <a href={`#/label/${bench.datasetId}`}>{bench.name}</a>, {bench.itemCount} so far.
        </p>
      )}
    </Section>
  )
}
