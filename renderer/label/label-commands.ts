import { useCommands } from '../frame/commands.ts'
import { actionTitle, type Keymap, type LabelKind, type LabelAction } from './keymap.ts'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'

interface Desk {
  readonly session: Session
  readonly store: SessionStore
  readonly keymap: Keymap
  readonly kind: LabelKind
  toggleDifferences(): void
  toggleGuideline(): void
  toggleNote(): void
  focusJump(): void
  focusSearch(): void
  /** In parts of the visible height. */
  scrollBy(pages: number): void
}

const SCROLL_STEP = 0.12

/** Every action of the labeling page with the keys that start it. */
export function useLabelCommands(desk: Desk): void {
  const { session, store, keymap } = desk
  const actions: { readonly [A in LabelAction]: () => void } = {
    left: () => store.choose('left'),
    right: () => store.choose('right'),
    tie: () => store.choose('tie'),
    bothBad: () => store.choose('both-bad'),
    skip: () => store.choose('skip'),
    slightly: () => store.send({ type: 'strength-set', strength: 'slightly' }),
    clearly: () => store.send({ type: 'strength-set', strength: 'clearly' }),
    far: () => store.send({ type: 'strength-set', strength: 'far' }),
    undo: () => void store.undo(),
    redo: () => void store.redo(),
    flag: () => void store.toggleFlag(),
    note: desk.toggleNote,
    differences: desk.toggleDifferences,
    guideline: desk.toggleGuideline,
    jump: desk.focusJump,
    search: desk.focusSearch,
    next: store.pass,
    previous: () => void store.previous(),
    scrollDown: () => desk.scrollBy(SCROLL_STEP),
    scrollUp: () => desk.scrollBy(-SCROLL_STEP),
  }
  const needPair: readonly LabelAction[] = ['left', 'right', 'tie', 'bothBad', 'skip', 'flag', 'note']
  useCommands(
    (Object.keys(actions) as LabelAction[]).flatMap((action) => {
      // Object.keys widens the key
      const title = actionTitle(action, desk.kind)
      if (title === null) return []
      return [
        {
          id: `label.${action}`,
          title,
          group: 'Label',
          keys: keymap[action],
          // While an answer is on its way the store itself drops the key: it was meant for a pair not yet seen.
          disabled: needPair.includes(action) && session.current === null,
          repeat: desk.kind !== 'segments' && (action === 'scrollDown' || action === 'scrollUp'),
          run: actions[action],
        },
      ]
    }),
  )
}
