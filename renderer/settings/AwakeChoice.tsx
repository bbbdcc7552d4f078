import type { ReactNode } from 'react'
import { changeSettings, useSettings } from '../api/settings.ts'

/** Whether the machine stays awake while a run trains. @param awakeBy what does it; null where nothing here can */
export function AwakeChoice({ awakeBy }: { readonly awakeBy: string | null }): ReactNode {
  const on = useSettings()?.keepAwake === true
  return (
    <div className="col gap-1">
      <label className="check">
        <input
          type="checkbox"
          checked={on && awakeBy !== null}
          disabled={awakeBy === null}
          onChange={(event) => changeSettings({ keepAwake: event.currentTarget.checked })}
        />
        Keep the machine awake while a run trains
      </label>
      <span className="small text-3">
        {awakeBy === null
          ? 'Nothing here can ask the system for it (systemd-inhibit, caffeinate, or the window). A run that slept goes on where it was.'
          : `By ${awakeBy}. The screen may still go dark. Changes count from the next run on.`}
      </span>
    </div>
  )
}
