import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { Dialog } from '../parts/Dialog.tsx'
import { useAllCommands } from './commands.ts'
import { KeyField } from './KeyField.tsx'

/** Every key that works on this page, and how each is changed. */
export function KeyMap({ onClose }: { onClose(): void }): ReactNode {
  const all = useAllCommands()
  const withKeys = all.filter((command) => (command.declared?.length ?? 0) > 0)
  const groups = Map.groupBy(withKeys, (command) => command.group)
  return (
    <Dialog title="Keys on this page" width={860} onClose={onClose}>
      <div className="keys-grid">
        {[...groups].toReversed().map(([group, commands]) => (
          <section key={group} className="keys-group" aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {commands.map((command) => (
                <div key={command.id} className="keys-line">
                  <dt>{command.title}</dt>
                  <dd>
                    <KeyField command={command} all={withKeys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="small text-3 keys-foot">
        Choose a key to change it, alone or with Alt, Ctrl or Shift. Keys rest while you write in a field. All that were
        changed are listed in{' '}
        <Link href="/settings?keys" onClick={onClose}>
          Settings, Keys
        </Link>
        .
      </p>
    </Dialog>
  )
}
