import { useEffect, useId, useRef, type ReactNode } from 'react'
import { X } from 'lucide-react'
import { Button } from './Button.tsx'

interface DialogProps {
  readonly title: string
  readonly width?: number
  readonly foot?: ReactNode
  readonly children: ReactNode
  onClose(): void
}

/** The browser's own modal dialog: focus stays inside, Escape closes, focus returns to where it was. Mount to open. */
export function Dialog({ title, width = 480, foot, children, onClose }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    dialog.current?.setAttribute('closedby', 'any') // a click beside it closes it; React does not know the attribute
    dialog.current?.showModal()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      style={{ width: `min(${width}px, calc(100vw - 32px))` }}
      onClose={onClose}
    >
      <div className="dialog-head">
        <h2 id={titleId} className="grow">
          {title}
        </h2>
        <Button look="quiet" small icon={X} aria-label="Close" onClick={() => dialog.current?.close()} />
      </div>
      <div className="dialog-body">{children}</div>
      {foot === undefined ? null : <div className="dialog-foot">{foot}</div>}
    </dialog>
  )
}
