import type { ReactNode } from 'react'
import { Dialog } from '../parts/Dialog.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { useAllCommands, type Command } from './commands.ts'

/** Every key that works on this page. */
export function KeyMap({ onClose }: { onClose(): void }): ReactNode {
  const withKeys = useAllCommands().filter((command) => (command.keys?.length ?? 0) > 0)
  const groups = Map.groupBy(withKeys, (command) => command.group)
  return (
    <Dialog title="Keys on this page" width={720} onClose={onClose}>
      <div className="keys-grid">
        {[...groups].toReversed().map(([group, commands]) => (
          <section key={group} className="keys-group">
            <h3>{group}</h3>
            {commands.map((command) => (
              <KeyLine key={command.id} command={command} />
            ))}
          </section>
        ))}
      </div>
      <p className="small text-3 keys-foot">
        Keys rest while you write in a field. Labeling keys can be changed in Settings.
      </p>
    </Dialog>
  )
}

function KeyLine({ command }: { readonly command: Command }): ReactNode {
  return (
    <div className="keys-line">
      <span>{command.title}</span>
      <span className="row gap-1">
        {command.keys?.map((binding, index) => (
          <span key={binding} className="row gap-1">
            {index === 0 ? null : <span className="text-3">or</span>}
            <KeyCap keys={binding} />
          </span>
        ))}
      </span>
    </div>
  )
}
