import { useSyncExternalStore, type ReactNode } from 'react'
import { Check, CircleAlert, X } from 'lucide-react'
import { Button } from './Button.tsx'

interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
  readonly action?: { readonly title: string; run(): void } | undefined
}

const SHOWN_MS = 6000
let toasts: readonly Toast[] = []
let nextId = 1
const watchers = new Set<() => void>()

function set(next: readonly Toast[]): void {
  toasts = next
  for (const watcher of watchers) watcher()
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id))
}

/** A short word that something is done. Errors stay until they are closed. */
export function showToast(
  text: string,
  options: { readonly tone?: Toast['tone']; readonly action?: Toast['action'] } = {},
): void {
  const id = nextId++
  const tone = options.tone ?? 'good'
  set([...toasts.slice(-3), { id, tone, text, action: options.action }])
  if (tone === 'good') setTimeout(() => dismiss(id), SHOWN_MS)
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
  }
}

export function ToastHost(): ReactNode {
  const shown = useSyncExternalStore(watch, () => toasts)
  return (
    <output className="toasts">
      {shown.map((toast) => {
        const Icon = toast.tone === 'good' ? Check : CircleAlert
        return (
          <div key={toast.id} className={`toast toast-${toast.tone}`}>
            <Icon className={`icon ${toast.tone}`} aria-hidden="true" />
            <span className="grow">{toast.text}</span>
            {toast.action === undefined ? null : (
              <Button
                small
                onClick={() => {
                  toast.action?.run()
                  dismiss(toast.id)
                }}
              >
                {toast.action.title}
              </Button>
            )}
            <Button small look="quiet" icon={X} aria-label="Close the message" onClick={() => dismiss(toast.id)} />
          </div>
        )
      })}
    </output>
  )
}
