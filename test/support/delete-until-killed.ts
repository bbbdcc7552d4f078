// Deletes a data set; killed by delete-kill.test.ts while it does. Arguments: data folder, data set.
import { writeSync } from 'node:fs'
import { deleteDataset } from '../../main/app/data/delete-dataset.ts'
import { openStore } from '../../main/app/store/open.ts'

const [folder, datasetId] = process.argv.slice(2)
if (folder === undefined || datasetId === undefined) throw new Error('usage: <folder> <dataset>')
const { db, close } = openStore(folder)
writeSync(1, 'deleting\n')
await deleteDataset(db, folder, datasetId, 1)
close()
