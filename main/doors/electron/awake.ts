import { powerSaveBlocker } from 'electron'
import type { App } from '../../app/app.ts'

/** While a run trains the system does not suspend; the screen may go dark. */
export function stayAwake(pairlab: Pick<App, 'events' | 'wantsAwake'>): void {
  let blocker: number | null = null
  function look(): void {
    const wanted = pairlab.wantsAwake()
    if (wanted && blocker === null) blocker = powerSaveBlocker.start('prevent-app-suspension')
    if (wanted || blocker === null) return
    powerSaveBlocker.stop(blocker)
    blocker = null
  }
  look()
  pairlab.events.subscribe(({ name }) => {
    if (name === 'run.state' || name === 'runs.changed' || name === 'settings.changed') look()
  })
}
