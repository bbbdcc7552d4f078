import { useState, useSyncExternalStore } from 'react'
import type { BaseLocationHook, BaseSearchHook } from 'wouter'

/** Pages live behind `#`, so that the app works from a file, a custom protocol and a host alike: `#/compare?runs=a,b`. */
function readHash(): { readonly path: string; readonly search: string } {
  const [path = '', search = ''] = window.location.hash.replace(/^#?\/?/, '').split('?')
  return { path: `/${path}`, search }
}

function watchHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

export function goTo(path: string, options: { readonly replace?: boolean } = {}): void {
  const hash = `#${path.startsWith('/') ? path : `/${path}`}`
  if (window.location.hash === hash) return
  if (options.replace === true) {
    const url = new URL(window.location.href)
    url.hash = hash
    window.history.replaceState(null, '', url)
    window.dispatchEvent(new HashChangeEvent('hashchange'))
  } else {
    window.location.hash = hash
  }
}

/** What brings one on when an answer comes: it does so only where the page that asked is still the one that is shown. → whether it did */
export function goOnFromHere(): (path: string) => boolean {
  const { path: asked } = readHash()
  return (path) => {
    const stays = readHash().path === asked
    if (stays) goTo(path)
    return stays
  }
}

/** The same for a component, of the page on which it first stood. */
export function useGoOn(): (path: string) => boolean {
  return useState(goOnFromHere)[0]
}

const useHashSearch: BaseSearchHook = () => useSyncExternalStore(watchHash, () => readHash().search)

export const useHashPath: BaseLocationHook & { hrefs?: (href: string) => string; searchHook?: BaseSearchHook } = () => [
  useSyncExternalStore(watchHash, () => readHash().path),
  goTo,
]
useHashPath.hrefs = (href) => `#${href}`
useHashPath.searchHook = useHashSearch
