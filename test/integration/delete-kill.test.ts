import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { settleFolders } from '../../main/app/data/settle-folders.ts'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { findDataset } from '../../main/app/store/datasets.ts'
import { journalPath, recordsPath } from '../../main/app/store/datasets-folder.ts'
import { addAnswer } from '../../main/app/store/labels.ts'
import { openStore } from '../../main/app/store/open.ts'
import { listTrash } from '../../main/app/store/trash.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { createRandom } from '../support/seeded.ts'

const script = fileURLToPath(new URL('../support/delete-until-killed.ts', import.meta.url))
const PAIRS = 1000
// PAIRLAB_DELETE_KILLS=100 for the long form.
const KILLS = Number(process.env['PAIRLAB_DELETE_KILLS'] ?? 3)

/** Starts a deletion and kills it some time after it began. @returns how long it lived from then on, in milliseconds */
function deleteAndKill(folder: string, id: string, afterMs: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, folder, id], { stdio: ['ignore', 'pipe', 'inherit'] })
    let begunAtMs = 0
    child.stdout.once('data', () => {
      begunAtMs = performance.now()
      if (Number.isFinite(afterMs)) setTimeout(() => child.kill('SIGKILL'), afterMs)
    })
    child.on('exit', () => resolve(performance.now() - begunAtMs))
  })
}

test(`a deletion killed at ${KILLS} random moments leaves the data set listed or in the trash, whole, and never neither`, async () => {
  const folder = temporaryFolder()
  const random = createRandom(17)
  let lastsMs = Number.POSITIVE_INFINITY // the first one is left to end, and says how long it takes
  for (let round = 0; round <= KILLS; round += 1) {
    const id = `set-${round}`
    const store = openStore(folder)
    if (round === 0) addAnnotator(store.db, 'Eva', 1)
    addDataset(store.db, folder, id, PAIRS)
    for (let pair = 0; pair < 5; pair += 1)
      addAnswer(
        store.db,
        folder,
        {
          datasetId: id,
          annotatorId: 'Eva',
          pairId: `pair-${pair}`,
          outcome: 'a',
          strength: null,
          comment: '',
          shownOrder: 'ab',
          durationMs: 1,
          clientKey: `answer-${pair}`,
        },
        pair,
      )
    const records = readFileSync(recordsPath(folder, id))
    const journal = readFileSync(journalPath(folder, id))
    store.close()
    const livedMs = await deleteAndKill(folder, id, random() * lastsMs)
    if (round === 0) lastsMs = livedMs
    const { db, close } = openStore(folder)
    expect((await settleFolders(db, folder, Date.now())).troubles).toEqual([])
    const trashed = listTrash(folder).filter((entry) => entry.mark?.id === id)
    const listed = findDataset(db, id) !== null
    expect(trashed).toHaveLength(listed ? 0 : 1)
    expect(existsSync(path.join(folder, 'datasets', id))).toBe(listed)
    const where = trashed[0]?.folder ?? path.join(folder, 'datasets', id)
    expect([readFileSync(path.join(where, 'records.jsonl')), readFileSync(path.join(where, 'labels.jsonl'))]).toEqual([
      records,
      journal,
    ])
    expect(db.prepare('SELECT count(*) FROM pairs WHERE dataset_id = ?').pluck().get(id)).toBe(listed ? PAIRS : 0)
    expect(db.prepare('SELECT count(*) FROM label_events WHERE dataset_id = ?').pluck().get(id)).toBe(listed ? 5 : 0)
    close()
  }
  expect(readdirSync(path.join(folder, 'trash')).length).toBeGreaterThan(0)
  rmSync(folder, { recursive: true })
}, 60_000)
