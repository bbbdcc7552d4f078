import type { ReactNode } from 'react'
import { changeSettings, useSettings } from '../api/settings.ts'
import { Panel } from '../parts/Panel.tsx'
import { Segmented } from '../parts/Segmented.tsx'

const PRESETS = [
  { value: 'pairlab', label: 'Pairlab' },
  { value: 'argilla', label: 'Argilla' },
  { value: 'label-studio', label: 'Label Studio' },
  { value: 'prodigy', label: 'Prodigy' },
  { value: 'one-hand', label: 'One hand' },
] as const

/** Which keys the labeling page answers to. Single keys are changed there, under `?`. */
export function KeySettings(): ReactNode {
  const settings = useSettings()
  if (settings === undefined) return null
  return (
    <Panel title="Keys of the labeling page">
      <div className="col gap-3">
        <Segmented
          title="Keys"
          value={settings.keymap}
          choices={PRESETS}
          onChange={(keymap) => changeSettings({ keymap })}
        />
        <p className="small text-3">
          Press <kbd>?</kbd> on the labeling page to see each key and to change a single one.
          {Object.keys(settings.keys).length > 0 ? ` ${Object.keys(settings.keys).length} changed.` : ''}
        </p>
      </div>
    </Panel>
  )
}
