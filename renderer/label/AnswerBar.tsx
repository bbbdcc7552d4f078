import type { ReactNode, Ref } from 'react'
import { StickyNote } from 'lucide-react'
import type { Strength } from '../../shared/data-kinds.ts'
import { Button } from '../parts/Button.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import type { Keymap } from './keymap.ts'
import { isBusy, type Session } from './session.ts'
import { type Verdict } from './verdicts.ts'
import type { SessionStore } from './session-store.ts'

interface AnswerBarProps {
  readonly session: Session
  readonly store: SessionStore
  readonly keymap: Keymap
  readonly chosen: Verdict | null
  readonly noteOpen: boolean
  readonly noteRef: Ref<HTMLTextAreaElement>
  onNote(): void
}

/** The answers, each with its key. Nothing is marked until a key is pressed: both sides start equal. */
export function AnswerBar({ session, store, keymap, chosen, noteOpen, noteRef, onNote }: AnswerBarProps): ReactNode {
  const busy = isBusy(session)
  const answer = (verdict: Verdict, text: ReactNode, keys: string | undefined, className = ''): ReactNode => (
    <Button
      className={className}
      keys={keys}
      aria-pressed={chosen === verdict}
      aria-disabled={busy}
      onClick={() => store.choose(verdict)}
    >
      {text}
    </Button>
  )
  const note = (
    <Button
      icon={StickyNote}
      keys={keymap.note[0]}
      aria-expanded={noteOpen}
      className={session.comment.trim() === '' ? '' : 'is-on'}
      onClick={onNote}
    >
      Note
    </Button>
  )
  if (session.current !== null && session.current.b === null)
    return (
      <div className="answers">
        {noteOpen ? <NoteField session={session} store={store} noteRef={noteRef} onClose={onNote} /> : null}
        <div className="answers-sides">
          {answer('left', 'Good', keymap.left[0], 'answer-side')}
          {answer('right', 'Bad', keymap.right[0], 'answer-side')}
        </div>
        <div className="row wrap">
          <p className="small text-3 grow">Choosing saves what you say and shows the next answer.</p>
          {answer('skip', 'Skip', keymap.skip[0])}
          {note}
        </div>
      </div>
    )
  return (
    <div className="answers">
      {noteOpen ? <NoteField session={session} store={store} noteRef={noteRef} onClose={onNote} /> : null}
      <div className="answers-sides">
        {answer('left', 'A is better', keymap.left[0], 'answer-side')}
        {answer('right', 'B is better', keymap.right[0], 'answer-side')}
      </div>
      <div className="row wrap">
        <Segmented<Strength>
          title="How much"
          showTitle
          value={session.strength}
          choices={[
            { value: 'slightly', label: 'a little', keys: keymap.slightly[0] },
            { value: 'clearly', label: 'clearly', keys: keymap.clearly[0] },
            { value: 'far', label: 'far', keys: keymap.far[0] },
          ]}
          onChange={(strength) => store.send({ type: 'strength-set', strength })}
        />
        <span className="grow" />
        {answer(
          'tie',
          <>
            Tie<span className="tie-text">, both good</span>
          </>,
          keymap.tie[0],
          'tie',
        )}
        {answer('both-bad', 'Both bad', keymap.bothBad[0])}
        {answer('skip', 'Skip', keymap.skip[0])}
        {note}
      </div>
      <p className="small text-3 answers-help">
        Choosing saves the answer and shows the next pair. “How much” is set before choosing and goes back to “clearly”.
      </p>
    </div>
  )
}

function NoteField({
  session,
  store,
  noteRef,
  onClose,
}: {
  readonly session: Session
  readonly store: SessionStore
  readonly noteRef: Ref<HTMLTextAreaElement>
  onClose(): void
}): ReactNode {
  const before = session.current?.current ?? null
  return (
    <div className="note">
      <textarea
        ref={noteRef}
        className="textarea"
        aria-label="Note on this pair"
        placeholder="Why, or what is odd about this pair. Saved with your answer."
        rows={2}
        maxLength={10_000}
        value={session.comment}
        onChange={(event) => store.send({ type: 'comment-set', comment: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
            event.preventDefault()
            onClose()
          }
        }}
      />
      <span className="small text-3">
        {before === null
          ? 'Goes with the answer you give next.'
          : 'Give your answer once more to save it with this note.'}{' '}
        <kbd>Esc</kbd> closes the field.
      </span>
    </div>
  )
}
