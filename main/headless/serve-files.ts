import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../../shared/errors.ts'
import { answer, answerJson, CONTENT_SECURITY_POLICY, refuse } from './serve-guard.ts'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'application/jsonl; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}
const UPLOAD_LIMIT_BYTES = 64 * 1024 ** 3
const DISK_RESERVE_BYTES = 256 * 1024 ** 2

/** A path inside `folder`, or null for one that leads out of it. */
function inside(folder: string, relative: string): string | null {
  const file = path.resolve(folder, `.${path.posix.normalize(`/${relative.replaceAll('\\', '/')}`)}`)
  return file.startsWith(folder + path.sep) ? file : null
}

async function sendFile(response: ServerResponse, file: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const found = await stat(file).catch(() => null)
  if (found === null || !found.isFile()) return false
  answer(response, 200, await readFile(file), { 'content-type': CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream', ...headers })
  return true
}

/** The built page. File names with a hash never change, so they may be kept for ever. */
export async function sendPage(response: ServerResponse, folder: string, pathname: string): Promise<void> {
  let relative: string
  try {
    relative = decodeURIComponent(pathname)
  } catch {
    return refuse(response, 400, 'usage-invalid', 'The address is not well formed.', 'Open the address that Pairlab printed.')
  }
  const file = relative.includes('\0') ? null : inside(folder, relative === '/' ? 'index.html' : relative)
  const caching = /-[\w-]{8,}\.(js|css|woff2)$/.test(pathname) ? 'public, max-age=31536000, immutable' : 'no-cache'
  const sent = file !== null && (await sendFile(response, file, { 'content-security-policy': CONTENT_SECURITY_POLICY, 'cache-control': caching }))
  if (!sent) refuse(response, 404, 'not-found', `There is no ${pathname} here.`, 'Open the address that Pairlab printed.')
}

/** A file that Pairlab exported; nothing else of the data folder. */
export async function sendExport(response: ServerResponse, dataFolder: string, wanted: string): Promise<void> {
  const folder = path.join(dataFolder, 'exports')
  const file = path.resolve(folder, wanted)
  const sent = file.startsWith(folder + path.sep) && (await sendFile(response, file, { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(path.basename(file))}`, 'cache-control': 'no-store' }))
  if (!sent) refuse(response, 404, 'file-not-found', 'There is no such export.', 'Export the data again.')
}

/** Streams a chosen file to `incoming/`, so that a browser page can import what the desktop window would read in place. */
export async function takeUpload(request: IncomingMessage, response: ServerResponse, dataFolder: string, name: string): Promise<void> {
  const size = Number(request.headers['content-length'] ?? 0)
  const folder = path.join(dataFolder, 'incoming', randomUUID())
  await mkdir(folder, { recursive: true })
  const disk = await statfs(folder)
  if (size > UPLOAD_LIMIT_BYTES || size + DISK_RESERVE_BYTES > disk.bavail * disk.bsize) {
    await rm(folder, { recursive: true })
    throw new AppError({ code: size > UPLOAD_LIMIT_BYTES ? 'too-large' : 'disk-full', message: `There is no room for ${name}.`, hint: 'Free some disk space, or give the path of the file instead of choosing it.' })
  }
  // Only the last part of the name, without what a file system or a person could trip over.
  const safe = path.basename(name.replaceAll('\\', '/')).replace(/[\p{Cc}<>:"|?*]/gu, '_').slice(0, 200) || 'file'
  const part = path.join(folder, 'part')
  try {
    await pipeline(request, createWriteStream(part))
    await rename(part, path.join(folder, safe))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  answerJson(response, 200, { path: path.join(folder, safe) })
}
