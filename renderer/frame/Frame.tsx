import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import { changeSettings, useSettings } from '../api/settings.ts'
import { ToastHost } from '../parts/toast.tsx'
import { CommandPalette } from './CommandPalette.tsx'
import { handleKey, setKeyChanges, useCommands } from './commands.ts'
import { DropTarget } from './DropTarget.tsx'
import { KeyMap } from './KeyMap.tsx'
import { goTo } from './location.ts'
import { PLACES, SETTINGS } from './places.ts'
import { useRunNotices } from './run-notices.ts'
import { Rail } from './Rail.tsx'
import { StatusBar } from './StatusBar.tsx'
import { applyTheme } from './theme.ts'
import { nextTheme, TopBar } from './TopBar.tsx'

type Overlay = 'palette' | 'keys' | null

/** Rail, top bar, status bar; the page is the child. Holds the window's keys and overlays. */
export function Frame({ children }: { readonly children: ReactNode }): ReactNode {
  const [overlay, setOverlay] = useState<Overlay>(null)
  const settings = useSettings()
  const theme = settings?.theme
  const keys = settings?.keys
  const [path] = useLocation()
  const main = useRef<HTMLElement>(null)
  useRunNotices()

  useCommands([
    {
      id: 'app.palette',
      title: 'Search, or run a command',
      group: 'Everywhere',
      keys: ['mod+k'],
      everywhere: true,
      hidden: true,
      run: () => setOverlay('palette'),
    },
    { id: 'app.keys', title: 'Show the keys', group: 'Everywhere', keys: ['?'], run: () => setOverlay('keys') },
    {
      id: 'app.theme',
      title: 'Switch the theme',
      group: 'Everywhere',
      run: () => changeSettings({ theme: nextTheme(theme ?? 'system') }),
    },
    { id: 'data.collect', title: 'Collect in a world', group: 'Data', run: () => goTo('/data?collect=') },
    ...[...PLACES, SETTINGS].map((place) => ({
      id: `go.${place.name}`,
      title: place.name,
      group: 'Go to',
      keys: [`g ${place.key}`],
      run: () => goTo(place.path),
    })),
  ])

  useEffect(() => {
    if (theme !== undefined) applyTheme(theme)
  }, [theme])

  useEffect(() => {
    if (keys !== undefined) setKeyChanges(keys)
  }, [keys])

  useEffect(() => {
    window.addEventListener('keydown', handleKey)
    return () => window.removeEventListener('keydown', handleKey)
  }, [])

  // A new page takes the focus, so that a screen reader reads on there and not in the rail.
  const shownPath = useRef(path)
  useEffect(() => {
    if (shownPath.current !== path) main.current?.focus()
    shownPath.current = path
  }, [path])

  return (
    <div className="frame">
      <a
        className="skip-link"
        href="#page"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to the page
      </a>
      <Rail />
      <TopBar onSearch={() => setOverlay('palette')} onKeys={() => setOverlay('keys')} />
      <main ref={main} id="page" className="frame-main" tabIndex={-1}>
        {children}
      </main>
      <StatusBar />
      <ToastHost />
      <DropTarget />
      {overlay === 'palette' ? <CommandPalette onClose={() => setOverlay(null)} /> : null}
      {overlay === 'keys' ? <KeyMap onClose={() => setOverlay(null)} /> : null}
    </div>
  )
}
