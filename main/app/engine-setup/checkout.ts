// What of the installed packages the tensorflow engine is built from.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** Folder of an installed package; null where it is not. */
function packageFolder(name: string): string | null {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch {
    return null // optional
  }
}

/** Folders of the packages that hold the addon's source, or a download of it. */
export function tensorflowPackages(): string[] {
  return ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].map(packageFolder).filter((folder) => folder !== null)
}

/** Folder with node_api.h: the package's, else what lies beside this Node. */
export function nodeHeaders(): string | null {
  const ours = packageFolder('node-api-headers')
  const folders = [
    ...(ours === null ? [] : [path.join(ours, 'include')]),
    path.join(path.dirname(path.dirname(process.execPath)), 'include/node'),
  ]
  return folders.find((folder) => existsSync(path.join(folder, 'node_api.h'))) ?? null
}
