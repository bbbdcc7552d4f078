import type { ReactNode } from 'react'
import { Check, TriangleAlert, Unplug } from 'lucide-react'
import type { ModelSummary } from '../../shared/contract/models.ts'

const LOOKS = {
  ready: { tone: 'good', icon: Check },
  changed: { tone: 'warn', icon: TriangleAlert },
  missing: { tone: 'bad', icon: Unplug },
} as const

/** Word, shape and colour; what is wrong on hover. */
export function ModelState({ model }: { readonly model: Pick<ModelSummary, 'state' | 'trouble'> }): ReactNode {
  const { tone, icon: Icon } = LOOKS[model.state]
  return (
    <span
      className={`status ${tone}`}
      title={model.trouble === null ? undefined : `${model.trouble.message} ${model.trouble.hint}`}
    >
      <Icon aria-hidden="true" />
      {model.state}
    </span>
  )
}
