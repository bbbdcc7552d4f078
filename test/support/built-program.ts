import path from 'node:path'

/** A program as `npm test` has just built it, which is how it is shipped; null where nothing says that it is built. */
export function builtProgram(name: string): string | null {
  const folder = process.env['PAIRLAB_BUILT']
  return folder === undefined ? null : path.join(folder, name)
}
