import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

/** Of a run's spec.json, only what is needed here: an older version's file must count too. */
const usesView = z.object({ data: z.object({ viewPath: z.string() }) })

/**
 * Takes views away that no run stands on: a dry run leaves one behind for every change of the labels. Runs in `trash/`
 * count. @param isFree whether nobody is about to use the file of a name; asked just before it goes
 * @returns bytes given back
 */
export async function pruneViews(dataFolder: string, isFree: (name: string) => boolean = () => true): Promise<number> {
  const files = listNames(path.join(dataFolder, 'datasets'))
    .flatMap((dataset) => {
      const folder = path.join(dataFolder, 'datasets', dataset, 'views')
      return listNames(folder).map((name) => path.join(folder, name))
    })
    .filter((file) => isView(file) && isFree(path.basename(file)))
  if (files.length === 0) return 0
  const [ofRuns, ofTrash] = [
    await viewsUsedBelow(path.join(dataFolder, 'runs')),
    await viewsUsedBelow(path.join(dataFolder, 'trash')),
  ]
  if (ofRuns === null || ofTrash === null) return 0
  const used = new Set([...ofRuns, ...ofTrash])
  let freedBytes = 0
  for (const file of files) {
    if (used.has(path.basename(file)) || !existsSync(file)) continue
    const { size } = await stat(file)
    if (!isFree(path.basename(file))) continue
    await rm(file, { force: true })
    freedBytes += size
  }
  return freedBytes
}

/** One that is being written has another name. */
function isView(file: string): boolean {
  return /^[0-9a-f]{64}\.jsonl$/.test(path.basename(file))
}

function listNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/**
 * Names, not paths: the data folder may have been moved since. Null where a folder or a specification is there and does
 * not say: then any view may be its own.
 */
async function viewsUsedBelow(parent: string): Promise<string[] | null> {
  const names: string[] = []
  const folders = namesOrNull(parent)
  if (folders === null) return null
  for (const name of folders) {
    const text = await readSpecText(path.join(parent, name, 'spec.json'))
    if (text === null) continue
    const spec = usesView.safeParse(parseJson(text))
    if (!spec.success) return null
    names.push(path.basename(spec.data.data.viewPath))
  }
  return names
}

/** Null where something else is in the folder's place, or nobody may look into it. */
function namesOrNull(folder: string): string[] | null {
  try {
    return listNames(folder)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return null
    throw error
  }
}

/** Null where there is no such file; '' where it cannot be read (no rights, a folder in its place): nothing follows from that. */
async function readSpecText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : ''
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null // half a file does not say
    throw error
  }
}
