// The notices of what a package holds of others: every package whose code is in the bundle, and those that lie beside it as they are.
// Fails where a licence's text is missing, so that nothing is passed on without it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './runtime.mjs'

/** Native libraries, WebAssembly, and Electron itself: no bundler sees their files. */
const WHOLE = ['better-sqlite3', 'webgpu', 'electron', '@tensorflow/tfjs-backend-wasm', '@mujoco/mujoco'].map(
  (name) => `node_modules/${name}`,
)
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i
const LICENCE_HEADING = /^(#+\s*)?licen[cs]e\b.*$/im
const GRANT = /permission is hereby granted|redistribution and use|permission to use, copy/i

/** Ours are under it, so its text is here. */
const apache = () => readFileSync(path.join(root, 'LICENSE'), 'utf8')

/** Its files; else its README; else what we keep for packages that were published without; null where there is none. */
function licenceText(folder, { name, license }) {
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file))
  if (files.length > 0)
    return files
      .toSorted()
      .map((file) => readFileSync(path.join(folder, file), 'utf8').trim())
      .join('\n\n')
  const kept = path.join(root, 'resources/licences', `${name.replace('/', '+')}.txt`)
  if (existsSync(kept)) return readFileSync(kept, 'utf8').trim()
  const readme = existsSync(path.join(folder, 'README.md')) ? readFileSync(path.join(folder, 'README.md'), 'utf8') : ''
  const section = readme.slice(LICENCE_HEADING.exec(readme)?.index ?? readme.length)
  if (GRANT.test(section)) return section.trim()
  return license === 'Apache-2.0' ? apache().trim() : null
}

/** @param folders relative to the tree; packages that are not for this platform are not there and not passed on */
export function thirdPartyNotices(folders) {
  const missing = []
  /** Names of the packages under each text: most texts stand for several. */
  const under = new Map()
  for (const folder of [...new Set(folders)].filter((one) => existsSync(path.join(root, one))).toSorted()) {
    const about = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))
    const text = licenceText(path.join(root, folder), about)
    if (text === null)
      missing.push(
        `${about.name} ${about.version} (${about.license ?? 'no licence named'}): put its licence's text into resources/licences/${about.name.replace('/', '+')}.txt`,
      )
    else
      under.set(text, [...(under.get(text) ?? []), `${about.name} ${about.version} (${about.license ?? 'see below'})`])
  }
  if (missing.length > 0) throw new Error(`Licence texts are missing:\n${missing.join('\n')}`)
  const parts = [...under].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`)
  return `Pairlab holds code of others. What is whose, and on which terms:\n\n${parts.join(`\n${'='.repeat(80)}\n\n`)}`
}

/** Written beside the build. @returns its path */
export function writeNotices() {
  const lists = path.join(root, 'out/packages')
  const bundled = readdirSync(lists).flatMap((name) => JSON.parse(readFileSync(path.join(lists, name), 'utf8')))
  const file = path.join(root, 'out/THIRD-PARTY-NOTICES.txt')
  writeFileSync(file, thirdPartyNotices([...bundled, ...WHOLE]))
  return file
}
