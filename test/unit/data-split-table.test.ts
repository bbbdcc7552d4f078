import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPromptTable } from '../../main/app/data/import-split.ts'
import { assignSplits } from '../../main/app/data/split.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

async function tableOf(
  hashes: readonly string[],
  spec: { readonly seed: number; readonly validation: number; readonly test: number },
): Promise<{ readonly sides: string[]; readonly prompts: number }> {
  const table = createPromptTable()
  for (const item of hashes) table.add(item)
  const sideOf = await table.assign(spec)
  expect(table.itemCount).toBe(hashes.length)
  return { sides: hashes.map((_, index) => sideOf(index)), prompts: table.promptCount }
}

describe('the table of prompts', () => {
  it('gives every pair the side that assignSplits gives it', async () => {
    const spec = fc.record({
      seed: fc.nat(1000),
      validation: fc.constantFrom(0, 0.1, 0.3),
      test: fc.constantFrom(0, 0.2, 0.45),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 200 }), spec, async (prompts, shares) => {
        const hashes = prompts.map((prompt) => hash(String(prompt)))
        expect(await tableOf(hashes, shares)).toEqual({
          sides: assignSplits(hashes, shares),
          prompts: new Set(prompts).size,
        })
      }),
    )
  })

  it('holds as many prompts as there are', async () => {
    const hashes = Array.from({ length: 30_000 }, (_, index) => hash(String(index % 20_011)))
    const shares = { seed: 3, validation: 0.1, test: 0.2 }
    expect(await tableOf(hashes, shares)).toEqual({ sides: assignSplits(hashes, shares), prompts: 20_011 })
  })
})
