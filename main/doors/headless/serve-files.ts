import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../../../shared/errors.ts'
import { answerJson, CONTENT_SECURITY_POLICY, refuse, SAFE_HEADERS } from './serve-guard.ts'

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

async function sendFile(
  response: ServerResponse,
  file: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const found = await stat(file).catch(() => null)
  if (found === null || !found.isFile()) return false
  response.writeHead(200, {
    ...SAFE_HEADERS,
    'content-type': CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
    ...headers,
  })
  if (response.req.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file), response).catch(() => response.destroy()) // the reader left, or the file shrank: no answer can be given any more
  return true
}

/** The built page. File names with a hash never change, so they may be kept for ever. */
export async function sendPage(response: ServerResponse, folder: string, pathname: string): Promise<void> {
  let relative: string
  try {
    relative = decodeURIComponent(pathname)
  } catch {
    return refuse(
      response,
      400,
      'usage-invalid',
      'The address is not well formed.',
      'Open the address that Pairlab printed.',
    )
  }
  const file = relative.includes('\0') ? null : inside(folder, relative === '/' ? 'index.html' : relative)
  const caching = /-[\w-]{8,}\.(js|css|woff2)$/.test(pathname) ? 'public, max-age=31536000, immutable' : 'no-cache'
  const sent =
    file !== null &&
    (await sendFile(response, file, { 'content-security-policy': CONTENT_SECURITY_POLICY, 'cache-control': caching }))
  if (!sent)
    refuse(response, 404, 'not-found', `There is no ${pathname} here.`, 'Open the address that Pairlab printed.')
}

/** A file that Pairlab exported; nothing else of the data folder. */
export async function sendExport(response: ServerResponse, dataFolder: string, wanted: string): Promise<void> {
  const folder = path.join(dataFolder, 'exports')
  const file = path.resolve(folder, wanted)
  const sent =
    file.startsWith(folder + path.sep) &&
    (await sendFile(response, file, {
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(path.basename(file))}`,
      'cache-control': 'no-store',
    }))
  if (!sent) refuse(response, 404, 'file-not-found', 'There is no such export.', 'Export the data again.')
}

function noRoom(code: 'too-large' | 'disk-full', name: string): AppError {
  return new AppError({
    code,
    message: `There is no room for ${name}.`,
    hint: 'Free some disk space, or give the path of the file instead of choosing it.',
  })
}

/** A sender need not say how much will come, so the bytes are counted as well. */
function countBytes(limitBytes: number, error: AppError): Transform {
  let sizeBytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes) done(error)
      else done(null, chunk)
    },
  })
}

/** Streams a chosen file to `incoming/`, so that a browser page can import what the desktop window would read in place. */
export async function takeUpload(
  request: IncomingMessage,
  response: ServerResponse,
  dataFolder: string,
  name: string,
): Promise<void> {
  const size = Number(request.headers['content-length'] ?? 0)
  const folder = path.join(dataFolder, 'incoming', randomUUID())
  await mkdir(folder, { recursive: true })
  const disk = await statfs(folder)
  const room = disk.bavail * disk.bsize - DISK_RESERVE_BYTES
  const error = noRoom(room < UPLOAD_LIMIT_BYTES ? 'disk-full' : 'too-large', name)
  const limitBytes = Math.min(room, UPLOAD_LIMIT_BYTES)
  if (size > limitBytes) {
    await rm(folder, { recursive: true })
    throw error
  }
  // Only the last part of the name, without what a file system or a person could trip over.
  const safe =
    path
      .basename(name.replaceAll('\\', '/'))
      .replace(/[\p{Cc}<>:"|?*]/gu, '_')
      .replace(/^\.+$/, '')
      .slice(-200) || 'file'
  const part = path.join(folder, 'part')
  try {
    await pipeline(request, countBytes(limitBytes, error), createWriteStream(part))
    await rename(part, path.join(folder, safe))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  answerJson(response, 200, { path: path.join(folder, safe) })
}
