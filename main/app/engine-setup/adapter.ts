import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { ADAPTER_FILE, adapterFile } from '../../../shared/contract/engines.ts'
import { replaceFile } from '../../base/files/durable.ts'

/** Which graphics card the webgpu engine takes on this machine, by a part of its name; null: the first that is found. */
export function readAdapter(enginesFolder: string): string | null {
  const file = path.join(enginesFolder, ADAPTER_FILE)
  if (!existsSync(file)) return null
  try {
    return adapterFile.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data?.adapter ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null // as good as none: choosing again writes it anew
    throw error
  }
}

export function writeAdapter(enginesFolder: string, adapter: string | null): void {
  const file = path.join(enginesFolder, ADAPTER_FILE)
  if (adapter === null) return rmSync(file, { force: true })
  mkdirSync(enginesFolder, { recursive: true })
  replaceFile(file, `${JSON.stringify({ adapter })}\n`)
}
