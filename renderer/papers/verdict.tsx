import type { ReactNode } from 'react'
import { Check, CircleHelp, X } from 'lucide-react'
import type { Verdict } from '../../shared/contract/papers.ts'
import { Chip } from '../parts/Chip.tsx'

const LOOKS = {
  holds: { tone: 'good', icon: Check },
  'does not hold': { tone: 'bad', icon: X },
  inconclusive: { tone: 'warn', icon: CircleHelp },
} as const

/** Word, shape and colour. */
export function VerdictChip({ verdict }: { readonly verdict: Verdict }): ReactNode {
  const { tone, icon: Icon } = LOOKS[verdict]
  return (
    <Chip tone={tone}>
      <Icon className="icon icon-s" aria-hidden="true" /> {verdict}
    </Chip>
  )
}
