import { useId, type ReactNode } from 'react'
import { RotateCcw } from 'lucide-react'

interface SettingRowProps {
  readonly title: string
  readonly symbol?: string | null
  /** What stands here when nothing is changed, and whose value that is. */
  readonly base?: string | undefined
  readonly unit?: string | null
  readonly help: ReactNode
  readonly problem?: string | undefined
  readonly changed?: boolean
  /** Under the sentence: the fields of a chosen variant. */
  readonly more?: ReactNode
  onReset?(): void
  render(control: {
    readonly id: string
    readonly 'aria-describedby': string
    readonly 'aria-invalid': true | undefined
  }): ReactNode
}

/** One setting: name and the preset's value, control with unit and a way back, one sentence. */
export function SettingRow({
  title,
  symbol,
  base,
  unit,
  help,
  problem,
  changed = false,
  more,
  onReset,
  render,
}: SettingRowProps): ReactNode {
  const id = useId()
  const helpId = `${id}-help`
  return (
    <div className="setting" data-changed={changed} data-invalid={problem !== undefined}>
      <div className="setting-name">
        <label htmlFor={id}>
          {title}
          {symbol === null || symbol === undefined ? '' : ` ${symbol}`}
        </label>
        {changed && base !== undefined ? <span className="small text-3 ellipsis">{base}</span> : null}
      </div>
      <div className="setting-control">
        {render({ id, 'aria-describedby': helpId, 'aria-invalid': problem === undefined ? undefined : true })}
        {unit === null || unit === undefined || unit === '' ? null : <span className="setting-unit">{unit}</span>}
        {changed && onReset !== undefined ? (
          <button
            type="button"
            className="setting-reset"
            aria-label={`Take ${title} back to ${base ?? 'the preset'}`}
            title="Take it back"
            onClick={onReset}
          >
            <RotateCcw className="icon icon-s" aria-hidden="true" />
          </button>
        ) : null}
      </div>
      <p
        id={helpId}
        className={problem === undefined ? undefined : 'bad'}
        role={problem === undefined ? undefined : 'alert'}
      >
        {problem ?? help}
      </p>
      {more}
    </div>
  )
}
