import type { ReactNode } from 'react'
import { CircleQuestionMark, Monitor, Moon, Search, Sun } from 'lucide-react'
import { changeSettings, useSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Crumbs } from './crumbs.tsx'
import type { ThemeChoice } from './theme.ts'

const THEMES: {
  readonly [T in ThemeChoice]: { readonly title: string; readonly icon: typeof Sun; readonly next: ThemeChoice }
} = {
  system: { title: 'Follow system', icon: Monitor, next: 'light' },
  light: { title: 'Light', icon: Sun, next: 'dark' },
  dark: { title: 'Dark', icon: Moon, next: 'system' },
}

export function nextTheme(choice: ThemeChoice): ThemeChoice {
  return THEMES[choice].next
}

export function TopBar({ onSearch, onKeys }: { onSearch(): void; onKeys(): void }): ReactNode {
  const theme = THEMES[useSettings()?.theme ?? 'system']
  return (
    <header className="top">
      <Crumbs />
      <button type="button" className="search-field" aria-keyshortcuts="Control+K" onClick={onSearch}>
        <Search className="icon icon-s" aria-hidden="true" />
        <span className="grow ellipsis">Search, or run a command</span>
        <KeyCap keys="mod+k" />
      </button>
      <div className="top-tools">
        <Button
          look="quiet"
          small
          icon={theme.icon}
          title="Switch between the system's theme, light and dark"
          onClick={() => changeSettings({ theme: theme.next })}
        >
          {theme.title}
        </Button>
        <Button look="quiet" small icon={CircleQuestionMark} keys="?" onClick={onKeys}>
          Keys
        </Button>
      </div>
    </header>
  )
}
