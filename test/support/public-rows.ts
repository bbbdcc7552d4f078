// Rows as public data sets have them, and what is understood of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ColumnRole, LabelAnswer } from '../../shared/contract/import-mapping.ts'
import { inspectFile } from '../../main/core/formats/inspect.ts'

export type Row = Readonly<Record<string, unknown>>

export const user = (content: string): Row => ({ role: 'user', content })

export const said = (content: string): Row => ({ role: 'assistant', content })

export const human = (value: string): Row => ({ from: 'human', value })

export const gpt = (value: string): Row => ({ from: 'gpt', value })

export async function inspect(
  rows: readonly Row[] | string,
  roles: Record<string, ColumnRole> = {},
  labels: LabelAnswer | null = null,
) {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-public-'))
  const file = path.join(folder, typeof rows === 'string' ? 'rows.csv' : 'rows.jsonl')
  writeFileSync(file, typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n'))
  try {
    return await inspectFile(file, { mapping: null, roles, labels, limit: 50 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Prompt, winner's text (or tie), as a person would check them. */
export function winners(read: Awaited<ReturnType<typeof inspect>>): string[] {
  return read.rows.map(({ prompt, a, b, labels }) => {
    const outcome = labels[0]?.outcome
    const text = (value: typeof a): string =>
      (typeof value === 'string' ? value : value.map((turn) => turn.content).join(' / ')).trim()
    return `${typeof prompt === 'string' ? prompt : prompt.map((turn) => `${turn.role}: ${turn.content}`).join(' | ')} → ${outcome === 'a' ? text(a) : outcome === 'b' ? text(b) : (outcome ?? 'no label')}`
  })
}

export const pair = (label: unknown, name = 'preference', more: Row = {}): Row => ({
  prompt: 'p',
  response_a: 'one',
  response_b: 'two',
  [name]: label,
  ...more,
})
