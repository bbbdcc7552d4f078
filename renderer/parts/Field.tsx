import { useId, type ReactNode } from 'react'

interface FieldProps {
  readonly name: string
  /** The paper's symbol or a unit, beside the name. */
  readonly note?: ReactNode
  /** One sentence. */
  readonly help?: ReactNode
  readonly problem?: string | undefined
  readonly changed?: boolean
  /** Receives the ids to put on the control. */
  render(control: {
    readonly id: string
    readonly 'aria-describedby': string
    readonly 'aria-invalid': boolean | undefined
  }): ReactNode
}

/** Name above, control, one sentence below. */
export function Field({ name, note, help, problem, changed = false, render }: FieldProps): ReactNode {
  const id = useId()
  const helpId = `${id}-help`
  return (
    <div className="field" data-changed={changed} data-invalid={problem !== undefined}>
      <label className="field-name" htmlFor={id}>
        {name}
        {note === undefined ? null : <span className="text-3">{note}</span>}
      </label>
      {render({ id, 'aria-describedby': helpId, 'aria-invalid': problem === undefined ? undefined : true })}
      <p id={helpId} className={`field-help ${problem === undefined ? '' : 'bad'}`}>
        {problem ?? help}
      </p>
    </div>
  )
}
