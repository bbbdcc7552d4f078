import type { ReactNode } from 'react'
import type { CardReading } from '../../shared/contract/engines.ts'
import { formatBytes, formatPercent } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'

const EVERY_MS = 5000

/** The graphics cards that the system tells of, as they are now. */
export function Cards(): ReactNode {
  const { data: cards } = useCall('engines.cards', {}, { refetchIntervalMs: EVERY_MS })
  if (cards === undefined || cards.length === 0) return null
  return (
    <dl className="facts" aria-label="Graphics cards">
      {cards.map((card, at) => (
        <div key={at}>
          <dt>{card.name}</dt>
          <dd>{sayCard(card)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What the system told of it, and nothing in place of what it did not. */
function sayCard(card: CardReading): string {
  const { use, memoryBytes, memoryUsedBytes, temperature, watts, driver } = card
  return [
    driver === '' ? null : `driver ${driver}`,
    use === null ? null : `${formatPercent(use)} in use`,
    memoryBytes === null ? null : `${formatBytes(memoryUsedBytes)} of ${formatBytes(memoryBytes)}`,
    temperature === null ? null : `${Math.round(temperature)} °C`,
    watts === null ? null : `${Math.round(watts)} W`,
  ]
    .filter((part) => part !== null)
    .join(' · ')
}
