import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const DAY_MS = 24 * 60 * 60 * 1000
/** Of a run's spec.json, only what is needed here: an older version's file must count too. */
const usesView = z.object({ data: z.object({ viewPath: z.string() }) })

/**
 * Takes views away that no run stands on: a look at the training page leaves one behind for every change of the
 * labels. Runs in `trash/` count, and nothing younger than a day is touched, since a run may just be starting.
 * @returns bytes given back
 */
export function pruneViews(dataFolder: string, nowMs: number): number {
  const used = new Set(['runs', 'trash'].flatMap((parent) => viewsUsedBelow(path.join(dataFolder, parent))))
  let freedBytes = 0
  for (const dataset of listNames(path.join(dataFolder, 'datasets'))) {
    const folder = path.join(dataFolder, 'datasets', dataset, 'views')
    for (const name of listNames(folder)) {
      const file = path.join(folder, name)
      const { mtimeMs, size } = statSync(file)
      if (used.has(name) || nowMs - mtimeMs < DAY_MS) continue
      rmSync(file)
      freedBytes += size
    }
  }
  return freedBytes
}

function listNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Names, not paths: the data folder may have been moved since. */
function viewsUsedBelow(parent: string): string[] {
  return listNames(parent).flatMap((name) => {
    const file = path.join(parent, name, 'spec.json')
    if (!existsSync(file)) return []
    const spec = usesView.safeParse(parseJson(readFileSync(file, 'utf8')))
    return spec.success ? [path.basename(spec.data.data.viewPath)] : []
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null // half a file names no view
    throw error
  }
}
