import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { LucideIcon } from 'lucide-react'
import { useCommands, type Command } from '../frame/commands.ts'
import { Button, type ButtonProps } from './Button.tsx'

export interface MenuItem {
  readonly id: string
  readonly title: string
  readonly icon?: LucideIcon
  readonly danger?: boolean
  readonly disabled?: boolean
  run(): void
}

interface MenuButtonProps extends Pick<ButtonProps, 'look' | 'small' | 'icon' | 'keys' | 'className' | 'ref'> {
  readonly label: string
  /** Words on the button; without them only the icon is drawn and `label` is said. */
  readonly text?: string
  readonly items: readonly MenuItem[]
  /** What opens it from the palette, and by `keys`. */
  readonly command?: Pick<Command, 'id' | 'title' | 'group'>
}

/** A button that opens a short list of actions. Arrow keys move, Escape closes and gives the focus back. */
export function MenuButton({ label, text, items, command, ...button }: MenuButtonProps): ReactNode {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLSpanElement>(null)
  const listId = useId()
  const { keys } = button
  useCommands(
    command === undefined
      ? []
      : [{ ...command, ...(keys === undefined ? {} : { keys: [keys] }), run: () => setOpen((was) => !was) }],
  )

  useEffect(() => {
    if (!open) return undefined
    root.current?.querySelector<HTMLElement>('[role=menuitem]:not(:disabled)')?.focus()
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [open])

  function close(): void {
    setOpen(false)
    root.current?.querySelector<HTMLElement>('button')?.focus()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (!open) return
    const entries = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)') ?? [])]
    const at = entries.findIndex((entry) => entry === document.activeElement)
    if (event.key === 'Escape') close()
    else if (event.key === 'ArrowDown') entries[(at + 1) % entries.length]?.focus()
    else if (event.key === 'ArrowUp') entries[(at - 1 + entries.length) % entries.length]?.focus()
    else if (event.key === 'Tab') return setOpen(false)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <span className="menu" ref={root} onKeyDown={onKeyDown} role="presentation">
      <Button
        {...button}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={listId}
        aria-label={label}
        onClick={() => setOpen(!open)}
      >
        {text}
      </Button>
      {open ? (
        <div className="menu-list" id={listId} role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.id}
              type="button"
              role="menuitem"
              className={item.danger === true ? 'bad' : undefined}
              disabled={item.disabled === true}
              onClick={() => {
                close()
                item.run()
              }}
            >
              {item.icon === undefined ? null : <item.icon className="icon" aria-hidden="true" />}
              {item.title}
            </button>
          ))}
        </div>
      ) : null}
    </span>
  )
}
