import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { compareWithJournal, reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { openStore } from '../../main/app/store/open.ts'
import { createRandom } from '../support/seeded.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'

const script = fileURLToPath(new URL('../support/label-until-killed.ts', import.meta.url))
const PAIRS = 200
const KILLS = 12

/** Starts the labeler, kills it `afterMs` after its first word, and returns what it had acknowledged. */
function labelAndKill(folder: string, firstKey: number, afterMs: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, folder, 'set', String(PAIRS), String(firstKey)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      said += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString()
    })
    child.on('close', (_, signal) => {
      // Only whole lines: the last may have been cut by the kill.
      if (signal === 'SIGKILL') resolve(said.slice(0, said.lastIndexOf('\n')).split('\n').slice(1))
      else reject(new Error(`the labeler ended by itself: ${complaint}`))
    })
  })
}

test('kill −9 at random moments loses no acknowledged label; database and journal agree', async () => {
  const folder = temporaryFolder()
  const first = openStore(folder)
  addAnnotator(first.db, 'Eva', 1)
  addDataset(first.db, folder, 'set', PAIRS)
  first.close()
  const random = createRandom(4)
  let acknowledged = 0
  let key = 1
  for (let kill = 0; kill < KILLS; kill += 1) {
    const lines = await labelAndKill(folder, key, random() * 150)
    const store = openStore(folder)
    reconcileJournals(store.db, folder)
    const find = store.db.prepare<[number], { pair_idx: number; outcome: string }>(
      'SELECT pair_idx, outcome FROM label_events WHERE label_id = ?',
    )
    for (const line of lines) {
      const [labelId, pair, outcome] = line.split(' ')
      expect(find.get(Number(labelId))).toEqual({ pair_idx: Number(pair), outcome })
    }
    expect(compareWithJournal(store.db, folder, 'set')).toEqual([])
    acknowledged += lines.length
    key =
      1 +
      (store.db
        .prepare<[], number>(
          "SELECT max(CAST(substr(client_key, 8) AS INTEGER)) FROM label_events WHERE kind = 'answer'",
        )
        .pluck()
        .get() ?? 0)
    store.close()
  }
  expect(acknowledged).toBeGreaterThan(KILLS)
  rmSync(folder, { recursive: true })
}, 120_000)
