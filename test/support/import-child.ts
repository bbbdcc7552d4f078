// A process that imports the file given as its second argument into the folder given as its first, and says how far it is.
import { openData } from './open-data.ts'

const [folder, file] = process.argv.slice(2)
if (folder === undefined || file === undefined) throw new Error('usage: import-child <data folder> <file>')
const data = openData(folder)
const timer = setInterval(() => {
  const job = data.imports.jobs()[0]
  if (job !== undefined) process.stdout.write(`${job.rowsKept}\n`)
}, 5)
const job = await data.importFile(file)
clearInterval(timer)
process.stdout.write(`done ${job.rowsKept}\n`)
await data.close()
