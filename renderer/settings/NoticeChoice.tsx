import { useState, type ReactNode } from 'react'
import { changeSettings, useSettings } from '../api/settings.ts'
import { askForNotices, noticePermission } from '../frame/system-notice.ts'

/** Whether the system is told, too, when a run ends. */
export function NoticeChoice(): ReactNode {
  const on = useSettings()?.notifyOfRuns === true
  const [refused, setRefused] = useState(false)
  async function choose(wanted: boolean): Promise<void> {
    const allowed = !wanted || (await askForNotices())
    setRefused(!allowed)
    if (allowed) changeSettings({ notifyOfRuns: wanted })
  }
  const silent = refused || (on && noticePermission() !== 'granted')
  return (
    <div className="col gap-1">
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => void choose(event.currentTarget.checked)} />
        Tell the system when a run ends or fails
      </label>
      {silent ? (
        <span className="small bad" role="alert">
          The browser does not allow notices of this page. Allow them in its settings of the page, then choose it again.
        </span>
      ) : (
        <span className="small text-3">
          While nobody looks at the window. The page itself always says it, and so does the window’s title.
        </span>
      )}
    </div>
  )
}
