// A reader that a file has caught in a loop: it takes a job and never comes up again.
import { watchSelf } from '../../main/workers/reader/watch.ts'

watchSelf(Number(process.argv[2]))
process.on('message', () => {
  for (;;) {
    /* as a pattern that goes back and forth would */
  }
})
process.send!({ type: 'ready' })
