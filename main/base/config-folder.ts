import { homedir } from 'node:os'
import path from 'node:path'

/** The person's own, of this installation, outside of every data folder: PAIRLAB_CONFIG, else the platform's place for them. */
export function configFolder(): string {
  const { env, platform } = process
  if (env['PAIRLAB_CONFIG'] !== undefined && env['PAIRLAB_CONFIG'] !== '') return path.resolve(env['PAIRLAB_CONFIG'])
  if (platform === 'win32')
    return path.join(env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'pairlab-config')
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Preferences', 'pairlab')
  const xdg = env['XDG_CONFIG_HOME'] ?? ''
  return path.join(path.isAbsolute(xdg) ? xdg : path.join(homedir(), '.config'), 'pairlab')
}
