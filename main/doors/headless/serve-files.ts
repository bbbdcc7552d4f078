import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
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

/** What a page says of the bytes that it sends. */
export interface Sent {
  /** The file's own name; of a file of a folder its path inside, with slashes. */
  readonly name: string
  /** The folder's name; null for a file by itself. */
  readonly folder: string | null
  /** The upload that the file belongs to, as an earlier answer named it; null for the first. */
  readonly into: string | null
}

/** Of one folder. */
const MOST_FILES = 1000
const MOST_DEPTH = 8
const UPLOAD = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Streams a chosen file to `incoming/`, so that a browser page can import what the desktop window would read in place. The files of a
 * folder come one by one into one upload, each at its place inside.
 * @throws AppError `input-invalid` for a place that is none, `too-large`, `disk-full`
 */
export async function takeUpload(
  request: IncomingMessage,
  response: ServerResponse,
  dataFolder: string,
  { name, folder, into }: Sent,
): Promise<void> {
  const size = Number(request.headers['content-length'] ?? 0)
  const inner = folder === null ? [safeName(name)] : innerPath(name)
  const upload = into === null ? randomUUID() : await knownUpload(dataFolder, into)
  const parent = path.join(dataFolder, 'incoming', upload)
  const root = folder === null ? parent : path.join(parent, safeName(folder))
  const place = path.join(root, ...inner)
  await mkdir(path.dirname(place), { recursive: true })
  const undo = async (): Promise<void> => rm(parent, { recursive: true, force: true })
  const disk = await statfs(parent)
  const room = disk.bavail * disk.bsize - DISK_RESERVE_BYTES
  const error = noRoom(room < UPLOAD_LIMIT_BYTES ? 'disk-full' : 'too-large', name)
  const limitBytes = Math.min(room, UPLOAD_LIMIT_BYTES)
  if (size > limitBytes) {
    await undo()
    throw error
  }
  const part = `${path.join(parent, 'part')}-${randomUUID()}`
  try {
    await pipeline(request, countBytes(limitBytes, error), createWriteStream(part))
    await rename(part, place)
  } catch (error) {
    await undo()
    throw error
  }
  answerJson(response, 200, folder === null ? { path: place } : { path: root, into: upload })
}

/** Only the last part of a name, without what a file system or a person could trip over. */
function safeName(name: string): string {
  const last = path.basename(name.replaceAll('\\', '/'))
  return (
    last
      .replace(/[\p{Cc}<>:"|?*]/gu, '_')
      .replace(/^\.+$/, '')
      .slice(-200) || 'file'
  )
}

/** Each part of a path inside a folder. @throws AppError `input-invalid` for one that leads out of it, or too far in */
function innerPath(inner: string): string[] {
  const parts = inner.split('/')
  if (
    parts.length > MOST_DEPTH ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part !== safeName(part))
  )
    throw new AppError({
      code: 'input-invalid',
      message: `"${inner.slice(0, 200)}" is no place inside of a folder.`,
      hint: 'Rename what is called so, or give the path of the folder instead of sending it.',
    })
  return parts
}

/** @throws AppError `input-invalid` for an upload that is not under way, or has as many files as one may have */
async function knownUpload(dataFolder: string, into: string): Promise<string> {
  const folder = path.join(dataFolder, 'incoming', into)
  if (!UPLOAD.test(into) || !(await stat(folder).catch(() => null))?.isDirectory())
    throw new AppError({
      code: 'input-invalid',
      message: 'The folder that this file belongs to is not being sent.',
      hint: 'Choose the folder again.',
    })
  if ((await readdir(folder, { recursive: true })).length > MOST_FILES)
    throw new AppError({
      code: 'too-large',
      message: `The folder holds more than ${MOST_FILES} files.`,
      hint: 'Give the path of the folder instead of sending it.',
    })
  return into
}
