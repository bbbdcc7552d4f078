import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { journalPath } from '../../main/app/store/datasets-folder.ts'
import { addAnswer, readProgress, redoAnswer, setFlag, undoAnswer } from '../../main/app/store/labels.ts'
import { readCurrent } from '../../main/app/store/labels-read.ts'
import { compareWithJournal, reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import { openStore, storeError } from '../../main/app/store/open.ts'
import { AppError } from '../../shared/errors.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'

const PAIRS = 200
/** A disk of its own, which can really be full; null where this user may not mount one. */
function mountSmallDisk(): string | null {
  if (process.platform !== 'linux') return null
  const folder = path.join(temporaryFolder(), 'disk')
  mkdirSync(folder)
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder]).status === 0 ? folder : null
}

function fill(folder: string): string {
  const file = path.join(folder, 'filler')
  const handle = openSync(file, 'w')
  try {
    for (const size of [65_536, 4096]) {
      try {
        for (;;) writeSync(handle, Buffer.alloc(size))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
  } finally {
    closeSync(handle)
  }
  return file
}

const disk = mountSmallDisk()

test.skipIf(disk === null)(
  'on a full disk a label that was stored counts and says that the journal is behind; one that was not is refused; nothing counts twice',
  () => {
    if (disk === null) return
    try {
      const { db, close } = openStore(disk)
      addAnnotator(db, 'Eva', 1)
      addDataset(db, disk, 'set', PAIRS)
      const eva = { datasetId: 'set', annotatorId: 'Eva' }
      let step = 0
      const answer = (clientKey: string): void =>
        void addAnswer(
          db,
          disk,
          {
            ...eva,
            pairId: `pair-${step % PAIRS}`,
            outcome: 'a',
            strength: null,
            comment: 'x'.repeat(900),
            shownOrder: 'ab',
            durationMs: 1,
            clientKey,
          },
          step,
        )
      for (; step < 40; step += 1) answer(`client-${step}`)
      db.pragma('wal_checkpoint(RESTART)') // the log's pages are used again: SQLite has room where the journal has none
      const filler = fill(disk)
      let behind = 0
      let refused: unknown = null
      for (; refused === null && step < PAIRS; step += 1) {
        const { answered } = readProgress(db, eva)
        try {
          answer(`client-${step}`)
        } catch (error) {
          refused = storeError(error, disk)
          expect(readProgress(db, eva).answered).toBe(answered) // neither the database nor the index in memory
          expect(readCurrent(db, 'set', 'Eva', step)).toBeNull()
          break
        }
        expect(readProgress(db, eva).answered).toBe(answered + 1)
        expect(readCurrent(db, 'set', 'Eva', step)).toMatchObject({ outcome: 'a' })
        if (readProgress(db, eva).journalTrouble !== null) behind += 1
      }
      expect(behind).toBeGreaterThan(0)
      expect(refused).toMatchObject({ code: 'disk-full' })
      unlinkSync(filler)
      const stored = readProgress(db, eva).answered

      // The same steps, sent as often as an impatient page would, with a disk that fills up in between.
      expect(undoAnswer(db, disk, { ...eva, clientKey: 'undo-once' }, 1)?.pairIndex).toBe(step - 1)
      const again = fill(disk)
      for (let time = 0; time < 5; time += 1)
        expect(undoAnswer(db, disk, { ...eva, clientKey: 'undo-once' }, 1)?.pairIndex).toBe(step - 1)
      expect(readProgress(db, eva).answered).toBe(stored - 1)
      unlinkSync(again)
      for (let time = 0; time < 3; time += 1) redoAnswer(db, disk, { ...eva, clientKey: 'redo-once' }, 1)
      expect(readProgress(db, eva)).toMatchObject({ answered: stored, journalTrouble: null })
      setFlag(db, disk, { ...eva, clientKey: 'flag-once' }, 'pair-3', true, 1)
      setFlag(db, disk, { ...eva, clientKey: 'flag-off' }, 'pair-3', false, 1)
      setFlag(db, disk, { ...eva, clientKey: 'flag-once' }, 'pair-3', true, 1)
      expect(readProgress(db, eva).flagged).toBe(0)
      expect(() => undoAnswer(db, disk, { ...eva, clientKey: 'flag-once' }, 1)).toThrow(AppError)
      expect(compareWithJournal(db, disk, 'set')).toEqual([])
      close()

      const second = openStore(disk)
      expect(reconcileJournals(second.db, disk)).toEqual([])
      expect(readProgress(second.db, eva).answered).toBe(stored)
      second.close()
      expect(readFileSync(journalPath(disk, 'set'), 'utf8').endsWith('\n')).toBe(true)
    } finally {
      spawnSync('umount', [disk])
      rmSync(path.dirname(disk), { recursive: true })
    }
  },
)
