import type { Notice } from '../../shared/bridge.ts'
import { goTo } from './location.ts'

/** Whether the system would show a notice now, may be asked, or has said no. */
export function noticePermission(): 'granted' | 'default' | 'denied' {
  if (window.bridge !== undefined) return 'granted'
  return 'Notification' in window ? Notification.permission : 'denied'
}

/** Asks the browser, which asks the person, where that was not done yet. */
export async function askForNotices(): Promise<boolean> {
  if (noticePermission() === 'default') await Notification.requestPermission()
  return noticePermission() === 'granted'
}

/** In the desktop window by the system, elsewhere by the browser. Nothing happens where it is not allowed. */
export function notifySystem(notice: Notice): void {
  if (window.bridge !== undefined) return window.bridge.notify(notice)
  if (noticePermission() !== 'granted') return
  // Several tabs of one app say it once.
  const shown = new Notification(notice.title, { body: notice.text, tag: `pairlab ${notice.path}`, silent: true })
  shown.addEventListener('click', () => {
    window.focus()
    goTo(notice.path)
    shown.close()
  })
}
