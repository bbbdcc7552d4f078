import { useId, useState, type ReactNode, type Ref } from 'react'
import { formatCount } from '../../shared/units.ts'

/** "213 of 600": the number is a field, so that jumping needs no window of its own. What is no place of the list is refused in words. */
export function JumpField({
  index,
  total,
  label,
  title,
  inputRef,
  className = '',
  onJump,
}: {
  /** Where one is, from 0; null where nothing is shown. */
  readonly index: number | null
  readonly total: number | null
  readonly label: string
  readonly title?: string
  readonly inputRef?: Ref<HTMLInputElement>
  readonly className?: string
  onJump(index: number): void
}): ReactNode {
  const shown = index === null ? '' : String(index + 1)
  const [problem, setProblem] = useState<string | null>(null)
  const problemId = useId()
  return (
    <form
      className={`jump ${className}`}
      onSubmit={(event) => {
        event.preventDefault()
        const field = event.currentTarget.elements.namedItem('number') as HTMLInputElement // the one below
        const text = field.value.replace(/[,\s]/g, '')
        const number = Number(text)
        if (text === '' || !Number.isInteger(number) || number < 1 || number > (total ?? number)) {
          setProblem(
            total === null || total === 0
              ? 'There is nothing to go to.'
              : `Write a number from 1 to ${formatCount(total)}.`,
          )
          field.select()
          return
        }
        setProblem(null)
        if (number - 1 !== index) onJump(number - 1)
        field.blur()
      }}
    >
      <input
        key={shown}
        ref={inputRef}
        name="number"
        className="mono"
        inputMode="numeric"
        autoComplete="off"
        aria-label={label}
        aria-invalid={problem === null ? undefined : true}
        aria-describedby={problem === null ? undefined : problemId}
        title={title}
        defaultValue={shown}
        size={Math.max(2, shown.length)}
        onFocus={(event) => event.currentTarget.select()}
        onChange={() => setProblem(null)}
        onBlur={(event) => {
          if (problem === null && event.currentTarget.value === shown) return
          event.currentTarget.value = shown
          setProblem(null)
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.currentTarget.value = shown
          setProblem(null)
          event.currentTarget.blur()
        }}
      />
      <span className="nowrap">
        of <span className="mono">{formatCount(total)}</span>
      </span>
      {problem === null ? null : (
        <span id={problemId} role="alert" className="jump-problem small bad">
          {problem}
        </span>
      )}
    </form>
  )
}
