import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runBytes } from '../../main/app/runs/summary.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { ownFolder } from '../support/own-folder.ts'

const own = ownFolder('run bytes')

test('a run keeps the same, whether its process has gone already or not', () => {
  const { checkpoints, events, lock } = runPaths(own.path)
  mkdirSync(path.join(checkpoints, '00000001'), { recursive: true })
  writeFileSync(events, '0123456789')
  writeFileSync(path.join(checkpoints, '00000001', 'weights'), '01234')
  expect(runBytes(own.path)).toBe(15)
  writeFileSync(lock, '{"pid":1}')
  expect(runBytes(own.path)).toBe(15)
})
