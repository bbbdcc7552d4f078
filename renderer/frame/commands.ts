import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react'
import { applyChange, type KeyChanges } from './key-changes.ts'
import { describePress, isTaken } from './keys.ts'

/** Something the person can do here: shown in the palette and the list of keys, started by its key. */
export interface Command {
  /** Stable: `label.tie`. Keys are remembered by it. */
  readonly id: string
  readonly title: string
  /** Heading in the palette and the list of keys. */
  readonly group: string
  /** See keys.ts. Several spellings may do the same. */
  readonly keys?: readonly string[]
  /** Works in text fields too; only for chords with `mod`. */
  readonly everywhere?: boolean
  /** Held keys count once unless this is set. */
  readonly repeat?: boolean
  /** Listed but not offered now. */
  readonly disabled?: boolean
  /** Not in the palette: a key without a name worth searching. */
  readonly hidden?: boolean
  run(): void
}

/** A command with its keys as the person has them, and as they were declared. */
export interface OfferedCommand extends Command {
  readonly declared?: readonly string[] | undefined
}

const SEQUENCE_MS = 1000
const lists = new Set<{ readonly current: readonly Command[] }>()
const watchers = new Set<() => void>()
let snapshot: readonly OfferedCommand[] = []
let changes: KeyChanges = {}
let prefix = ''
let prefixTimer: ReturnType<typeof setTimeout> | undefined

function refresh(): void {
  snapshot = [...lists].flatMap((list) =>
    list.current.map((command) => {
      // The labeling page makes its own of a preset and the same changes.
      const { id, keys } = command
      if (keys === undefined || id.startsWith('label.')) return { ...command, declared: keys }
      return { ...command, keys: applyChange(keys, changes[id]), declared: keys }
    }),
  )
  for (const watcher of watchers) watcher()
}

/** Keys that the person changed, by command: see key-changes.ts. */
export function setKeyChanges(next: KeyChanges): void {
  if (next === changes) return
  changes = next
  refresh()
}

/** The key that now does what this one was declared to do; undefined where it was switched off. */
export function useKeyNow(declared: string | undefined): string | undefined {
  const all = useAllCommands()
  if (declared === undefined) return undefined
  const command = all.findLast((one) => one.declared?.includes(declared) === true)
  if (command === undefined || command.keys?.includes(declared) === true) return declared
  return command.keys?.[0]
}

/** Offers commands for as long as the component is shown. Later ones win over earlier ones with the same key. */
export function useCommands(commands: readonly Command[]): void {
  const list = useRef<readonly Command[]>([])
  const latest = useRef(commands)
  const runLatest = useEffectEvent((id: string) => latest.current.find((command) => command.id === id)?.run())
  // What can be seen of a command decides whether the list is published anew; `run` is always the latest.
  const shape = JSON.stringify(
    commands.map((command) => [
      command.id,
      command.title,
      command.group,
      command.keys,
      command.disabled,
      command.hidden,
      command.everywhere,
      command.repeat,
    ]),
  )
  useEffect(() => {
    latest.current = commands
  })
  useEffect(() => {
    list.current = latest.current.map((command) => ({ ...command, run: () => runLatest(command.id) }))
    lists.add(list)
    refresh()
    return () => {
      lists.delete(list)
      refresh()
    }
  }, [shape])
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
  }
}

export function useAllCommands(): readonly OfferedCommand[] {
  return useSyncExternalStore(watch, () => snapshot)
}

function find(binding: string, typing: boolean): Command | undefined {
  return snapshot.findLast(
    (command) =>
      command.disabled !== true && (!typing || command.everywhere === true) && command.keys?.includes(binding) === true,
  )
}

function startsSequence(binding: string): boolean {
  return snapshot.some((command) => command.keys?.some((key) => key.startsWith(`${binding} `)) === true)
}

/** The one listener of the window. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || ['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return
  const typing = isTaken(event.target)
  const press = describePress(event)
  const binding = prefix === '' ? press : `${prefix} ${press}`
  const command = find(binding, typing) ?? (prefix === '' ? undefined : find(press, typing))
  clearTimeout(prefixTimer)
  prefix = ''
  if (command === undefined) {
    if (!typing && startsSequence(press)) {
      prefix = press
      prefixTimer = setTimeout(() => {
        prefix = ''
      }, SEQUENCE_MS)
    }
    return
  }
  event.preventDefault()
  if (event.repeat && command.repeat !== true) return
  command.run()
}
