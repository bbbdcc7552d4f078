import { realpathSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { isErrno } from './system-error.ts'

/** Folders of the system that hold no files but what the kernel makes up: writing there may hang, or do something. */
const KERNELS = ['/proc', '/sys', '/dev']

/**
 * Before anything is written: links are followed, and what does not exist yet is judged by the nearest folder above that
 * does. A memory disk (`/dev/shm`) holds files like any other.
 * @throws AppError `input-invalid` for a place among the kernel's own
 */
export function refuseKernelPlace(target: string): void {
  const place = nearestReal(path.resolve(target))
  if (place === '/dev/shm' || place.startsWith('/dev/shm/')) return
  const own = KERNELS.find((folder) => place === folder || place.startsWith(`${folder}/`))
  if (own === undefined || process.platform === 'win32') return
  throw new AppError({
    code: 'input-invalid',
    message: `${target} lies in ${own}, which is the system's own and no place for files.`,
    hint: 'Choose a folder of your own, for example in your home folder.',
  })
}

function nearestReal(place: string): string {
  try {
    return realpathSync(place)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error
    const above = path.dirname(place)
    return above === place ? place : path.join(nearestReal(above), path.basename(place))
  }
}
