import { useEffect, useSyncExternalStore, type ReactNode } from 'react'
import { Link } from 'wouter'
import { setPageTitle } from './window-title.ts'

export interface Crumb {
  readonly label: string
  /** A path such as `/data`. The last crumb is where one is and has none. */
  readonly href?: string
}

let crumbs: readonly Crumb[] = []
const watchers = new Set<() => void>()

/** Says in the top bar (and the window's title) where the page is. */
export function useCrumbs(next: readonly Crumb[]): void {
  const shape = JSON.stringify(next)
  useEffect(() => {
    crumbs = JSON.parse(shape) as readonly Crumb[] // written two lines above
    setPageTitle(
      crumbs
        .map((crumb) => crumb.label)
        .toReversed()
        .join(' · '),
    )
    for (const watcher of watchers) watcher()
  }, [shape])
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
  }
}

export function Crumbs(): ReactNode {
  const shown = useSyncExternalStore(watch, () => crumbs)
  return (
    <nav aria-label="Where you are">
      <ol className="crumbs">
        {shown.map((crumb, at) => (
          <li key={`${at} ${crumb.label}`} aria-current={at === shown.length - 1 ? 'page' : undefined}>
            {crumb.href === undefined ? (
              <span className="ellipsis">{crumb.label}</span>
            ) : (
              <Link href={crumb.href}>{crumb.label}</Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}
