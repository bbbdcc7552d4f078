// The program in which everything is computed: `entry.ts <job> <what it is about>`. The app and the command line start it
// and read what it says; it opens no database.
import { act } from './acting/actor.ts'
import { answer } from './answer.ts'
import { generate } from './generator/generate.ts'
import { probe } from './trainer/probe.ts'
import { runJob } from './trainer/run-job.ts'
import { TRAINER_EXIT } from '../base/run-folder/protocol.ts'

const JOBS: Readonly<Record<string, (about: string) => Promise<number>>> = {
  /** A run folder. */
  train: (folder) => runJob('train', folder),
  estimate: (folder) => runJob('estimate', folder),
  /** JSON: which engine, and for how long. */
  probe,
  /** JSON: which model, on which engine. */
  generate,
  /** JSON: which data set's. */
  collection: async (start) => (await import('./collection/serve.ts')).serveCollection(start),
  /** JSON: on which engine. */
  act,
  /** The name of a question. */
  ask: answer,
}

process.umask(0o077) // as the app that started it, which may be gone
// Its output goes to a file that the disk may have no room for; the event log says what matters.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const [job, about] = process.argv.slice(2)
const work = job === undefined ? undefined : JOBS[job]
if (work === undefined || about === undefined) {
  console.error(`usage: entry <${Object.keys(JOBS).join(' | ')}> <run folder, JSON or question>`)
  process.exit(TRAINER_EXIT.badSpec)
}
// Engines may hold handles open, so the end is said aloud.
process.exit(await work(about))
