// Labels, undoes and redoes as fast as it can, and says each acknowledged event on its standard output. Run by
// labels-kill.test.ts, which kills it. Arguments: data folder, data set, pairs, number to start keys at.
import { writeSync } from 'node:fs'
import { addAnswer, redoAnswer, undoAnswer } from '../../main/app/store/labels.ts'
import { openStore } from '../../main/app/store/open.ts'
import { reconcileJournals } from '../../main/app/store/labels-reconcile.ts'
import type { Outcome } from '../../shared/data-kinds.ts'

const [folder, datasetId, itemCount, firstKey] = process.argv.slice(2)
if (folder === undefined || datasetId === undefined) throw new Error('usage: <folder> <dataset> <pairs> <first key>')
const { db } = openStore(folder)
reconcileJournals(db, folder)
const who = { datasetId, annotatorId: 'Eva' }
const outcomes: readonly Outcome[] = ['a', 'b', 'tie', 'both-bad', 'skip']
writeSync(1, 'ready\n')
for (let step = 0; ; step += 1) {
  const key = Number(firstKey) + step
  const pair = (key * 7) % Number(itemCount)
  const outcome = outcomes[key % outcomes.length] ?? 'a'
  const labelId = addAnswer(
    db,
    folder,
    {
      ...who,
      pairId: `pair-${pair}`,
      outcome,
      strength: null,
      comment: 'x'.repeat(key % 300),
      shownOrder: 'ab',
      durationMs: 1,
      clientKey: `client-${key}`,
    },
    key,
  )
  writeSync(1, `${labelId} ${pair} ${outcome}\n`)
  if (key % 5 === 0) undoAnswer(db, folder, { ...who, clientKey: `undo-${key}` }, key)
  if (key % 10 === 0) redoAnswer(db, folder, { ...who, clientKey: `redo-${key}` }, key)
}
