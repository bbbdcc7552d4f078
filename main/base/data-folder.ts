import { homedir } from 'node:os'
import path from 'node:path'

export interface Place {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
}

/** Where Pairlab keeps everything unless told otherwise: PAIRLAB_DATA, else the platform's place for application data. */
export function defaultDataFolder(
  place: Place = { platform: process.platform, env: process.env, home: homedir() },
): string {
  const { platform, env, home } = place
  const paths = platform === 'win32' ? path.win32 : path.posix
  const given = env['PAIRLAB_DATA']
  if (given !== undefined && given !== '') return paths.resolve(given)
  if (platform === 'win32')
    return paths.join(nonEmpty(env['APPDATA']) ?? paths.join(home, 'AppData', 'Roaming'), 'pairlab')
  if (platform === 'darwin') return paths.join(home, 'Library', 'Application Support', 'pairlab')
  // The XDG specification: a path that is not absolute is to be ignored.
  const xdg = nonEmpty(env['XDG_DATA_HOME'])
  return paths.join(xdg !== null && paths.isAbsolute(xdg) ? xdg : paths.join(home, '.local', 'share'), 'pairlab')
}

function nonEmpty(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value
}
