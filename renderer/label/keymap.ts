import type { Settings } from '../../shared/contract/system.ts'
import { applyChange, RESERVED } from '../frame/key-changes.ts'

/** Everything that can be done on the labeling page. Keys are remembered by these names: `label.tie`. */
export const LABEL_ACTIONS = {
  left: 'A is better',
  right: 'B is better',
  tie: 'Tie, both good',
  bothBad: 'Both bad',
  skip: 'Skip',
  slightly: 'A little better',
  clearly: 'Clearly better',
  far: 'Far better',
  undo: 'Undo',
  redo: 'Redo',
  flag: 'Look again later',
  note: 'Write a note',
  differences: 'Show or hide differences',
  guideline: 'Show or hide the guideline',
  jump: 'Go to a pair by number',
  search: 'Search the pairs',
  next: 'Next pair, leaving this one open',
  previous: 'Pair before this one',
  scrollDown: 'Scroll both sides down',
  scrollUp: 'Scroll both sides up',
} as const

export type LabelAction = keyof typeof LABEL_ACTIONS
export type Keymap = { readonly [A in LabelAction]: readonly string[] }

const PAIRLAB: Keymap = {
  left: ['1'],
  right: ['2'],
  tie: ['3', '='],
  bothBad: ['b'],
  skip: ['s'],
  slightly: ['q'],
  clearly: ['w'],
  far: ['e'],
  undo: ['u', 'mod+z'],
  redo: ['shift+u', 'mod+shift+z'],
  flag: ['f'],
  note: ['n'],
  differences: ['d'],
  guideline: ['i'],
  jump: ['j'],
  search: ['/'],
  next: ['right'],
  previous: ['left'],
  scrollDown: ['down', 'space'],
  scrollUp: ['up', 'shift+space'],
}

/** For hands that learned another tool. What a tool has no key for stays as in Pairlab. */
export const PRESETS: { readonly [K in Settings['keymap']]: Keymap } = {
  pairlab: PAIRLAB,
  argilla: {
    ...PAIRLAB,
    bothBad: ['4'],
    skip: ['backspace'],
    next: ['right', 'pagedown'],
    previous: ['left', 'pageup'],
  },
  'label-studio': { ...PAIRLAB, bothBad: ['4'], skip: ['mod+space'], undo: ['mod+z'], redo: ['mod+shift+z'] },
  prodigy: {
    ...PAIRLAB,
    bothBad: ['x'],
    skip: ['space'],
    undo: ['backspace', 'delete'],
    scrollDown: ['down'],
    scrollUp: ['up'],
  },
  'one-hand': {
    ...PAIRLAB,
    left: ['a'],
    right: ['d'],
    tie: ['s'],
    bothBad: ['x'],
    skip: ['c'],
    undo: ['z', 'mod+z'],
    redo: ['shift+z', 'mod+shift+z'],
    note: ['r'],
    differences: ['t'],
    guideline: ['v'],
    jump: ['4'],
    next: ['2', 'right'],
    previous: ['1', 'left'],
  },
}

export const PRESET_NAMES: { readonly [K in Settings['keymap']]: string } = {
  pairlab: 'Pairlab',
  argilla: 'Argilla',
  'label-studio': 'Label Studio',
  prodigy: 'Prodigy',
  'one-hand': 'Left hand only',
}

/** The chosen preset with the keys that the person changed. */
export function buildKeymap(preset: Settings['keymap'], changed: Settings['keys']): Keymap {
  const base = PRESETS[preset]
  const entries = Object.entries(base).map(([action, keys]) => {
    const own = changed[`label.${action}`]
    return [action, applyChange(keys, own)]
  })
  return Object.fromEntries(entries) as Keymap // the same actions
}

export interface KeyConflict {
  readonly key: string
  /** What claims it; a single entry means that the frame needs the key. */
  readonly actions: readonly LabelAction[]
}

/** Keys that would do two things, or that the frame needs for itself. */
export function findConflicts(keymap: Keymap): readonly KeyConflict[] {
  const claims = new Map<string, LabelAction[]>()
  for (const [action, keys] of Object.entries(keymap) as [LabelAction, readonly string[]][]) {
    // Object.entries widens the key
    for (const key of keys) claims.set(key, [...(claims.get(key) ?? []), action])
  }
  return [...claims]
    .filter(([key, actions]) => actions.length > 1 || RESERVED.includes(key))
    .map(([key, actions]) => ({ key, actions }))
}

/** What the page holds decides what there is to do, and what it is called. */
export type LabelKind = 'pairs' | 'answers' | 'segments'

const OTHER_WORDS: { readonly [K in LabelKind]: Readonly<Partial<Record<LabelAction, string | null>>> } = {
  pairs: {},
  answers: {
    left: 'Good',
    right: 'Bad',
    tie: null,
    bothBad: 'Bad, by the key that calls both bad',
    slightly: null,
    clearly: null,
    far: null,
    differences: null,
    jump: 'Go to an answer by number',
    search: 'Search the answers',
    next: 'Next answer, leaving this one open',
    previous: 'Answer before this one',
    scrollDown: 'Scroll down',
    scrollUp: 'Scroll up',
  },
  segments: {
    differences: 'Show or hide earlier moments',
    scrollDown: 'Play or pause',
    scrollUp: null,
  },
}

/** Null where there is no such thing to do. */
export function actionTitle(action: LabelAction, kind: LabelKind): string | null {
  const own = OTHER_WORDS[kind][action]
  return own === undefined ? LABEL_ACTIONS[action] : own
}
