// `train-folders-child.ts <engine> <run folder>…`: trains them one after the other in this process, whose compiled kernels serve all.
import type { EngineName } from '../../shared/domain.ts'
import { openEngine, trainHere } from './train-here.ts'

const [engine, ...folders] = process.argv.slice(2)
await openEngine(engine as EngineName)
for (const folder of folders) await trainHere(folder)
process.exit(0)
