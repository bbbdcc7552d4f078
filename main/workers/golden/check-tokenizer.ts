import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { checkTokenizerVectors } from '../../core/learn/tokens/tokenizer-vectors.ts'
import type { GoldenResult } from './check.ts'

/** The folder `tokenizer/`: `<name>.tokenizer.json` with `<name>.vectors.json`. One result a tokenizer. */
export async function checkTokenizerFolder(folder: string): Promise<GoldenResult[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.vectors.json')).toSorted()
  return Promise.all(
    names.map(async (name): Promise<GoldenResult> => {
      const file = `tokenizer/${name}`
      try {
        const read = async (file: string): Promise<unknown> =>
          JSON.parse(await readFile(path.join(folder, file), 'utf8'))
        const { passed, failures } = checkTokenizerVectors(
          await read(name.replace('.vectors.json', '.tokenizer.json')),
          await read(name),
        )
        return {
          file,
          caseName: '',
          status: failures.length === 0 ? 'passed' : 'failed',
          detail: failures.join('; '),
          compared: passed + failures.length,
        }
      } catch (error) {
        return {
          file,
          caseName: '',
          status: 'failed',
          detail: error instanceof Error ? error.message : String(error),
          compared: 0,
        }
      }
    }),
  )
}
