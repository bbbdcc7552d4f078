import { AppError, type AppErrorOptions } from '../../../shared/errors.ts'

const WORDS: Readonly<Record<string, Pick<AppErrorOptions, 'code' | 'hint'> & { readonly what: string }>> = {
  ENOENT: { code: 'file-not-found', what: 'is missing', hint: 'Put a copy back, or choose another file.' },
  EACCES: { code: 'folder-unusable', what: 'may not be read or written', hint: 'Give yourself the rights to it.' },
  EPERM: { code: 'folder-unusable', what: 'may not be read or written', hint: 'Give yourself the rights to it.' },
  EROFS: {
    code: 'folder-unusable',
    what: 'lies on a disk that is read-only',
    hint: 'Choose a folder that can be written.',
  },
  EEXIST: { code: 'folder-unusable', what: 'is there already, as something else', hint: 'Move it away.' },
  EISDIR: {
    code: 'folder-unusable',
    what: 'is a folder where a file should be',
    hint: 'Move the folder away and put the file back.',
  },
  ENOTDIR: {
    code: 'folder-unusable',
    what: 'should lie in a folder, and a file is in its place',
    hint: 'Move that file away.',
  },
  ELOOP: { code: 'folder-unusable', what: 'is a link that leads to itself', hint: 'Remove the link.' },
  EIO: {
    code: 'folder-unusable',
    what: 'cannot be read or written: the disk does not answer',
    hint: 'Check the disk.',
  },
  EMFILE: {
    code: 'folder-unusable',
    what: 'cannot be opened: too many files are open',
    hint: 'Close other work of this program, or raise the limit (ulimit -n).',
  },
  ENAMETOOLONG: { code: 'input-invalid', what: 'has too long a name', hint: 'Choose a shorter one.' },
  ENOSPC: {
    code: 'disk-full',
    what: 'could not be written: the disk is full',
    hint: 'Free some space and do it again.',
  },
  EDQUOT: {
    code: 'disk-full',
    what: 'could not be written: your share of the disk is used up',
    hint: 'Free some space and do it again.',
  },
}

/** What the system says of a file, in words; anything else is returned as it came. */
export function systemError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !('syscall' in error))
    return error
  const known = Object.hasOwn(WORDS, error.code) ? WORDS[error.code] : undefined
  if (known === undefined) return error
  const file = 'path' in error && typeof error.path === 'string' ? error.path : 'A file'
  return new AppError({ code: known.code, message: `${file} ${known.what}.`, hint: known.hint, cause: error })
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
