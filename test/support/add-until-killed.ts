// A process that adds the folder given as its second argument by copy to the data folder given as its first, and kills
// itself in the middle of the copy.
import { createApp } from '../../main/app/app.ts'
import { inProcess } from '../../shared/rpc.ts'

const [dataFolder, folder] = process.argv.slice(2)
if (dataFolder === undefined || folder === undefined)
  throw new Error('usage: add-until-killed <data folder> <model folder>')
const app = await createApp({ dataFolder })
app.events.subscribe((event) => {
  if (event.name === 'model.progress' && 'bytesDone' in event.payload && event.payload.bytesDone > 0)
    process.kill(process.pid, 'SIGKILL')
})
await inProcess(app.handlers).call('models.add', { source: { kind: 'folder', path: folder, place: 'copy' } })
await new Promise((resolve) => setTimeout(resolve, 30_000))
