import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../../shared/errors.ts'

const here = path.dirname(fileURLToPath(import.meta.url))

/** Looks upwards, because built code lies at another depth than its source. */
function findUpwards(relative: string): string | null {
  for (let folder = here; ; folder = path.dirname(folder)) {
    const found = path.join(folder, relative)
    if (existsSync(found)) return found
    if (path.dirname(folder) === folder) return null
  }
}

/** The built page. */
export function findRenderer(): string {
  const page = findUpwards('out/renderer/index.html')
  if (page === null)
    throw new AppError({ code: 'file-not-found', message: 'The page is not built.', hint: 'Run: npm run build' })
  return path.dirname(page)
}

/** A file of the source tree; null in an installed app. */
export function findSource(relative: string): string | null {
  return findUpwards(relative)
}
