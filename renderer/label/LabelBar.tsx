import { useEffect, useRef, type ReactNode } from 'react'
import { Clock, Flag, Redo2, Search, Undo2 } from 'lucide-react'
import type { LabelFilter } from '../../shared/contract/labels.ts'
import { Button } from '../parts/Button.tsx'
import { formatCount, formatDuration } from '../../shared/units.ts'
import { JumpField } from '../parts/JumpField.tsx'
import { ProgressBar } from '../parts/ProgressBar.tsx'
import type { Keymap } from './keymap.ts'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'

const FILTERS: { readonly [F in LabelFilter['only']]: string } = {
  unlabeled: 'Unanswered',
  all: 'All',
  labeled: 'Answered',
  skipped: 'Skipped',
  flagged: 'Look again',
  ties: 'Ties',
  disagreement: 'Disagreement',
}

interface LabelBarProps {
  readonly session: Session
  readonly store: SessionStore
  readonly keymap: Keymap
  readonly jumpRef: React.Ref<HTMLInputElement>
  readonly searchRef: React.RefObject<HTMLInputElement | null>
}

/** Where one is, how it goes, and the steps back. */
export function LabelBar({ session, store, keymap, jumpRef, searchRef }: LabelBarProps): ReactNode {
  const { progress, current } = session
  const alone = current?.b === null
  const seen = progress === null ? 0 : progress.answered + progress.skipped
  return (
    <div className="label-bar">
      <JumpField
        className="position"
        index={current?.index ?? null}
        total={progress?.total ?? null}
        label="Number of the pair"
        title="Write a number to go to that pair"
        inputRef={jumpRef}
        onJump={(index) => void store.jump(index)}
      />
      <ProgressBar
        value={progress === null || progress.total === 0 ? 0 : seen / progress.total}
        label="Pairs answered"
      />
      <span className="nowrap answered">
        <span className="mono">{formatCount(progress?.answered)}</span> answered
        {progress !== null && progress.skipped > 0 ? (
          <>
            {' '}
            · <span className="mono">{formatCount(progress.skipped)}</span> skipped
          </>
        ) : null}
      </span>
      <FilterFields session={session} store={store} searchRef={searchRef} />
      <span className="grow" />
      {progress?.paceMs === null || progress === null ? null : (
        <span
          className="nowrap pace"
          title="Median of your last 50 answers, and what the open pairs will take at that pace"
        >
          <Clock className="icon icon-s" aria-hidden="true" />{' '}
          <span className="mono">{formatDuration(progress.paceMs)}</span> {alone ? 'an answer' : 'a pair'}
          <span className="text-3 pace-left">{formatDuration(progress.remainingMs)} left</span>
        </span>
      )}
      <Button
        look="quiet"
        small
        icon={Undo2}
        keys={keymap.undo[0]}
        disabled={progress?.canUndo !== true}
        onClick={() => void store.undo()}
      >
        Undo
      </Button>
      <Button
        look="quiet"
        small
        icon={Redo2}
        aria-label="Redo"
        title="Redo"
        disabled={progress?.canRedo !== true}
        onClick={() => void store.redo()}
      />
      <Button
        look="quiet"
        small
        icon={Flag}
        keys={keymap.flag[0]}
        aria-label="Look again later"
        aria-pressed={current?.flagged === true}
        className={current?.flagged === true ? 'is-on' : ''}
        disabled={current === null}
        onClick={() => void store.toggleFlag()}
      >
        <span className="flag-text">{current?.flagged === true ? 'Marked' : 'Look again'}</span>
      </Button>
    </div>
  )
}

function FilterFields({
  session,
  store,
  searchRef,
}: Pick<LabelBarProps, 'session' | 'store' | 'searchRef'>): ReactNode {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const { filter, matching, current } = session
  // A search that was ended elsewhere leaves no words behind; what is being written waits to be searched.
  useEffect(() => {
    const field = searchRef.current
    if (timer.current === undefined && field !== null) field.value = filter.search
  }, [filter.search, searchRef])
  // Between two sides alone there is a tie.
  const offered = Object.entries(FILTERS).filter(([value]) => value !== 'ties' || current?.b !== null)
  return (
    <span className="row gap-1">
      <select
        className="select select-small"
        aria-label="Which pairs"
        value={filter.only}
        onChange={(event) => {
          store.restart({ ...filter, only: event.currentTarget.value as LabelFilter['only'] }) // the options below
          event.currentTarget.blur()
        }}
      >
        {offered.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      {current?.segments == null ? (
        <span className="label-search">
          <Search className="icon icon-s" aria-hidden="true" />
          <input
            ref={searchRef}
            className="input input-small"
            type="search"
            aria-label="Only pairs with these words"
            placeholder="Search"
            defaultValue={filter.search}
            onChange={(event) => {
              const search = event.currentTarget.value
              clearTimeout(timer.current)
              timer.current = setTimeout(() => {
                timer.current = undefined
                store.restart({ ...filter, search })
              }, 300)
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur()
            }}
          />
        </span>
      ) : null}
      {matching !== null && (filter.only !== 'unlabeled' || filter.search !== '') ? (
        <span className="mono small text-3">{formatCount(matching)}</span>
      ) : null}
    </span>
  )
}
