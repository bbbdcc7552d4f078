import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import type { LucideIcon } from 'lucide-react'
import { useKeyNow } from '../frame/commands.ts'
import { KeyCap, ariaKeys } from './KeyCap.tsx'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'> {
  /** At most one `primary` on a page. */
  readonly look?: 'normal' | 'primary' | 'quiet' | 'danger'
  readonly small?: boolean
  readonly icon?: LucideIcon
  /** The key that does the same (see frame/keys.ts); drawn on the button. */
  readonly keys?: string | undefined
  readonly submit?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({
  look = 'normal',
  small = false,
  icon: Icon,
  keys,
  submit = false,
  className = '',
  children,
  ...rest
}: ButtonProps): ReactNode {
  const now = useKeyNow(keys)
  const looks = `btn btn-${look} ${small ? 'btn-small' : ''} ${children === undefined ? 'btn-icon' : ''} ${className}`
  return (
    <button type={submit ? 'submit' : 'button'} className={looks} aria-keyshortcuts={ariaKeys(now)} {...rest}>
      {Icon === undefined ? null : <Icon className={`icon ${small ? 'icon-s' : ''}`} aria-hidden="true" />}
      {children}
      {keys === undefined ? null : <KeyCap keys={keys} />}
    </button>
  )
}
