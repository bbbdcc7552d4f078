import { useState, type ReactNode } from 'react'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Field } from '../parts/Field.tsx'
import { showToast } from '../parts/toast.tsx'

/** Which graphics card WebGPU takes, for machines with more than one. */
export function AdapterChoice({
  adapter,
  busy,
}: {
  readonly adapter: string | null
  readonly busy: boolean
}): ReactNode {
  const [text, setText] = useState(adapter ?? '')
  const save = useMutate('engines.setAdapter', {
    invalidate: ['engines.list'],
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  return (
    <form
      className="row gap-2 adapter-choice"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate({ adapter: text.trim() === '' ? null : text.trim() })
      }}
    >
      <Field
        name="Graphics adapter of webgpu"
        help="A part of its name, where there are several. Empty: the fastest that is found. A test then names it under Device."
        render={(control) => (
          <input
            {...control}
            className="input"
            value={text}
            placeholder="the fastest"
            onChange={(event) => setText(event.target.value)}
          />
        )}
      />
      <Button small submit disabled={busy || save.isPending || text.trim() === (adapter ?? '')}>
        Use it
      </Button>
    </form>
  )
}
