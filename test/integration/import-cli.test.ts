import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'

// `pairlab import` tells a kind by what a file holds, and takes another one where it is told.

const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab import '))
const fixtures = path.resolve(import.meta.dirname, '../fixtures')
const options = { dataFolder }
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

function file(name: string, ...rows: readonly unknown[]): string {
  const place = path.join(dataFolder, name)
  writeFileSync(place, rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'))
  return place
}

const pair = file('a.data', { prompt: 'p', chosen: 'c', rejected: 'r' })
const answer = file(
  'b.data',
  { prompt: 'p', completion: 'c', label: true },
  { prompt: 'q', completion: 'd', label: false },
)
const triplet = file('c.data', { query: 'q', positive: 'p', negative: 'n' })

it.each([
  ['response-pairs', [pair]],
  ['unpaired-responses', [answer]],
  ['contrast-groups', [triplet]],
  ['contrast-groups', [pair, '--as', 'texts', '--form', 'lines']],
  ['rankings', [path.join(fixtures, 'beir_tiny')]],
  ['segment-pairs', [path.join(fixtures, 'cpl/new_format.npz')]],
] as const)('takes %s from %j', async (kind, args) => {
  expect(await runJson(['import', ...args], options)).toMatchObject({ kind })
})

it('says what it took a file for, and why; and what a file is not', async () => {
  const { stdout, stderr } = await runCli(['import', triplet, '--name', 'again'], options)
  expect(stdout + stderr).toMatch(/texts.*because/i)
  const refused = await runCli(['import', triplet, '--as', 'segments'], options)
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).not.toContain('unexpected')
})
