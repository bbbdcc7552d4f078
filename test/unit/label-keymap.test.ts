import { describe, expect, test } from 'vitest'
import { describePress, showKey } from '../../renderer/frame/keys.ts'
import { rankCommands, scoreMatch } from '../../renderer/frame/palette-search.ts'
import { applyChange, conflictsOf } from '../../renderer/frame/key-changes.ts'
import { LABEL_ACTIONS, PRESETS, actionTitle, buildKeymap, findConflicts } from '../../renderer/label/keymap.ts'

const press = (
  key: string,
  held: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {},
): string => describePress({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held }, false)

describe('labeling keys', () => {
  test.each(Object.keys(PRESETS) as (keyof typeof PRESETS)[])(
    'the %s preset gives every action a key and no key two actions',
    (name) => {
      const keymap = PRESETS[name]
      expect(Object.keys(keymap).toSorted()).toEqual(Object.keys(LABEL_ACTIONS).toSorted())
      expect(Object.values(keymap).every((keys) => keys.length > 0)).toBe(true)
      expect(findConflicts(keymap)).toEqual([])
    },
  )

  test('a changed key replaces the single keys of an action and keeps its chords', () => {
    const keymap = buildKeymap('pairlab', { 'label.undo': 'z', 'label.tie': 't' })
    expect(keymap.undo).toEqual(['z', 'mod+z'])
    expect(keymap.tie).toEqual(['t'])
  })

  test('a key can be given a modifier, or be switched off; chords stay', () => {
    const keymap = buildKeymap('pairlab', { 'label.undo': '', 'label.tie': 'alt+t', 'label.skip': '' })
    expect(keymap).toMatchObject({ undo: ['mod+z'], tie: ['alt+t'], skip: [] })
    expect(applyChange(['b', 'mod+b'], undefined)).toEqual(['b', 'mod+b'])
    expect(applyChange(['b', 'mod+b'], 'mod+b')).toEqual(['mod+b'])
  })

  test('conflicts are those with other actions', () => {
    const all = [
      { id: 'run.note', title: 'Note', keys: ['n'] },
      { id: 'run.next', title: 'Next', keys: ['n', 'right'] },
    ]
    expect(conflictsOf('n', 'run.note', all).map((one) => one.title)).toEqual(['Next'])
    expect(conflictsOf('right', 'run.next', all)).toEqual([])
  })

  test('what a page does not do has no key, and the rest is called what it is there', () => {
    expect(actionTitle('left', 'answers')).toBe('Good')
    expect(actionTitle('tie', 'answers')).toBeNull()
    expect(actionTitle('scrollDown', 'segments')).toBe('Play or pause')
    expect(actionTitle('tie', 'pairs')).toBe('Tie, both good')
  })

  test('names what two actions claim, and what the frame needs', () => {
    expect(findConflicts(buildKeymap('pairlab', { 'label.tie': 'b' }))).toEqual([
      { key: 'b', actions: ['tie', 'bothBad'] },
    ])
    expect(findConflicts(buildKeymap('pairlab', { 'label.skip': 'g' }))).toEqual([{ key: 'g', actions: ['skip'] }])
  })

  test('reads a key press as bindings are written', () => {
    expect([
      press('1'),
      press('?', { shiftKey: true }),
      press('U', { shiftKey: true }),
      press('Z', { ctrlKey: true, shiftKey: true }),
      press(' '),
      press('ArrowLeft'),
    ]).toEqual(['1', '?', 'shift+u', 'mod+shift+z', 'space', 'left'])
    expect(press('k', { metaKey: true })).toBe('other+k')
  })

  test('draws a binding as caps', () => {
    expect(showKey('mod+shift+z', false)).toEqual(['Ctrl', 'Shift', 'Z'])
    expect(showKey('g r', false)).toEqual(['G', 'R'])
  })
})

describe('command search', () => {
  test('prefers the beginning of a word to its inside, and both to scattered letters', () => {
    expect(scoreMatch('run', 'Runs')).toBeGreaterThan(scoreMatch('run', 'All runs'))
    expect(scoreMatch('run', 'All runs')).toBeGreaterThan(scoreMatch('run', 'prune'))
    expect(scoreMatch('lbl', 'Label')).toBeGreaterThan(0)
    expect(scoreMatch('xyz', 'Label')).toBe(0)
  })

  test('keeps groups together, the best first', () => {
    const entry = (title: string, group: string) => ({ id: title, title, group, run: () => undefined })
    const ranked = rankCommands(
      [entry('Open PandaLM', 'A'), entry('PandaLM', 'B'), entry('Show PandaLM', 'A')],
      'pandalm',
    )
    expect(ranked.map((one) => one.title)).toEqual(['PandaLM', 'Open PandaLM', 'Show PandaLM'])
  })
})
