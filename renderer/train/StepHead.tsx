import type { ReactNode } from 'react'
import { KeyCap } from '../parts/KeyCap.tsx'

/** Number, name and key of a step. */
export function StepHead({
  no,
  title,
  forId,
  keys,
}: {
  readonly no: number
  readonly title: string
  readonly forId?: string
  readonly keys?: string
}): ReactNode {
  return (
    <div className="row">
      <span className="mono small text-3">{no}</span>
      {forId === undefined ? (
        <h2 className="grow">{title}</h2>
      ) : (
        <h2 className="grow">
          <label htmlFor={forId}>{title}</label>
        </h2>
      )}
      {keys === undefined ? null : <KeyCap keys={keys} />}
    </div>
  )
}

export function Problem({ text }: { readonly text: string | undefined }): ReactNode {
  return text === undefined ? null : (
    <p className="small bad" role="alert">
      {text}
    </p>
  )
}
