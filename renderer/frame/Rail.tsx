import type { ReactNode } from 'react'
import { PanelLeftClose, PanelLeftOpen } from 'lucide-react'
import { Link, useLocation } from 'wouter'
import { useViewState } from '../api/settings.ts'
import { PLACES, SETTINGS, isAt, type Place } from './places.ts'

function RailLink({
  place,
  at,
  open,
}: {
  readonly place: Place
  readonly at: string
  readonly open: boolean
}): ReactNode {
  return (
    <Link
      className="rail-item"
      href={place.path}
      aria-current={isAt(place, at) ? 'page' : undefined}
      aria-label={place.name}
      title={open ? undefined : place.name}
    >
      <place.icon className="icon" aria-hidden="true" />
      <span className="rail-name">{place.name}</span>
    </Link>
  )
}

/** From here on the names take room that pages do not need. */
const NAMES_FIT_PX = 1280

export function Rail(): ReactNode {
  const [at] = useLocation()
  const [open, setOpen] = useViewState<boolean>('rail.open', window.innerWidth >= NAMES_FIT_PX)
  const Fold = open ? PanelLeftClose : PanelLeftOpen
  return (
    <nav className="rail" data-open={open} aria-label="Pages">
      <Link className="rail-item rail-logo" href="/" aria-label="Pairlab">
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <rect x="1.5" y="3" width="7" height="14" rx="2" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <rect x="11.5" y="3" width="7" height="14" rx="2" fill="var(--accent)" />
        </svg>
        <span className="rail-name">Pairlab</span>
      </Link>
      {PLACES.map((place) => (
        <RailLink key={place.path} place={place} at={at} open={open} />
      ))}
      <span className="grow" />
      <button
        type="button"
        className="rail-item"
        aria-expanded={open}
        aria-label={open ? 'Hide the names' : 'Show the names'}
        title={open ? undefined : 'Show the names'}
        onClick={() => setOpen(!open)}
      >
        <Fold className="icon" aria-hidden="true" />
        <span className="rail-name">Hide the names</span>
      </button>
      <RailLink place={SETTINGS} at={at} open={open} />
    </nav>
  )
}
