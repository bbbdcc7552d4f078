import { useEffect, useRef, type ReactNode } from 'react'
import { useSearch } from 'wouter'
import { changeSettings, useSettings } from '../api/settings.ts'
import { KeyField } from '../frame/KeyField.tsx'
import { buildKeymap, LABEL_ACTIONS, type LabelAction } from '../label/keymap.ts'
import { Button } from '../parts/Button.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Segmented } from '../parts/Segmented.tsx'

const PRESETS = [
  { value: 'pairlab', label: 'Pairlab' },
  { value: 'argilla', label: 'Argilla' },
  { value: 'label-studio', label: 'Label Studio' },
  { value: 'prodigy', label: 'Prodigy' },
  { value: 'one-hand', label: 'One hand' },
] as const

/** Which keys the labeling page answers to, each of which can be changed, and what was changed on other pages. */
export function KeySettings(): ReactNode {
  const settings = useSettings()
  const wanted = useSearch() === 'keys'
  const place = useRef<HTMLDivElement>(null)
  const known = settings !== undefined
  useEffect(() => {
    if (wanted && known) place.current?.scrollIntoView()
  }, [wanted, known])
  if (settings === undefined) return null
  const { keymap, keys } = settings
  const actions = (Object.entries(buildKeymap(keymap, keys)) as [LabelAction, readonly string[]][]).map(
    ([action, own]) => ({ id: `label.${action}`, title: LABEL_ACTIONS[action], keys: own }),
  ) // the same actions
  const elsewhere = Object.entries(keys).filter(([id]) => !id.startsWith('label.'))
  return (
    <Panel
      title="Keys"
      note="of the labeling page"
      actions={
        Object.keys(keys).length === 0 ? undefined : (
          <Button small onClick={() => changeSettings({ keys: {} })}>
            Take all {Object.keys(keys).length} changes back
          </Button>
        )
      }
    >
      <div ref={place} className="col gap-3">
        <Segmented
          title="Keys"
          value={keymap}
          choices={PRESETS}
          onChange={(chosen) => changeSettings({ keymap: chosen })}
        />
        <p className="small text-3">
          Choose a key to change it, alone or with Alt, Ctrl or Shift, or switch it off. Keys of other pages are changed
          there, in the list that <kbd>?</kbd> shows.
        </p>
        <dl>
          {actions.map((action) => (
            <div key={action.id} className="keys-line">
              <dt>{action.title}</dt>
              <dd>
                <KeyField command={action} all={actions} />
              </dd>
            </div>
          ))}
        </dl>
        {elsewhere.length === 0 ? null : (
          <>
            <b className="small">Changed on other pages</b>
            <ul className="col plain-list small">
              {elsewhere.map(([id, key]) => (
                <li key={id} className="keys-line">
                  <code>{id}</code>
                  <span className="row gap-1">
                    {key === '' ? 'off' : <KeyCap keys={key} exact spoken />}
                    <Button
                      small
                      look="quiet"
                      onClick={() =>
                        changeSettings({
                          keys: Object.fromEntries(Object.entries(keys).filter(([other]) => other !== id)),
                        })
                      }
                    >
                      Take back
                    </Button>
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Panel>
  )
}
