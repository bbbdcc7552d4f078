import type { Bridge } from '../../shared/bridge.ts'
import { AppError, fromWire } from '../../shared/errors.ts'
import type { CallName, Input, Output } from '../../shared/contract.ts'
import type { Client, Reply } from '../../shared/rpc.ts'
import { atHome, meetAgain } from './meet-again.ts'
import { refusedTab, sessionKey } from './session-key.ts'

export { asAppError } from './app-error.ts'

declare global {
  interface Window {
    /** What the desktop window's preload script offers; absent in a browser. */
    readonly bridge?: Bridge
  }
}

/** Of calls that no Pairlab answered: they say nothing of what is known already. */
const unanswered = new WeakSet<AppError>()

export function isUnanswered(error: AppError | null): boolean {
  return error !== null && unanswered.has(error)
}

function unreachable(cause: unknown): AppError {
  const error = new AppError({
    code: 'internal',
    message: 'Pairlab does not answer.',
    hint: 'It may have been closed. Start it again; nothing that was saved is lost.',
    cause,
  })
  unanswered.add(error)
  return error
}

/** @throws while the host is away, and where something else has got its port */
async function ownKey(): Promise<string> {
  if (!(await atHome())) throw new Error('the host of this page is away')
  return sessionKey()
}

async function send(name: string, input: unknown): Promise<Response> {
  try {
    return await fetch(`call/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await ownKey()}` },
      body: JSON.stringify(input),
    })
  } catch (error) {
    throw unreachable(error)
  }
}

async function callOverHttp(name: string, input: unknown): Promise<Reply> {
  let response = await send(name, input)
  // Pairlab was started anew, and did nothing of this call.
  if (response.status === 401 && (await meetAgain()) === 'met') response = await send(name, input)
  const text = await response.text()
  if (response.status === 401) throw refusedTab({ answer: text.slice(0, 400) })
  try {
    return JSON.parse(text) as Reply // every answer of the host is a Reply, refusals included
  } catch {
    throw new AppError({
      code: response.status === 403 ? 'forbidden' : 'internal',
      message: `Pairlab refused the request (${response.status}).`,
      hint: 'Start Pairlab again; nothing that was saved is lost.',
      details: { answer: text.slice(0, 400) },
    })
  }
}

export const client: Client = {
  async call<N extends CallName>(name: N, input: Input<N>): Promise<Output<N>> {
    const reply = window.bridge === undefined ? await callOverHttp(name, input) : await window.bridge.call(name, input)
    if (!reply.ok) throw fromWire(reply.error)
    return reply.value as Output<N> // dispatch() checked it against the contract on the other side
  },
}

/**
 * Makes a dropped or chosen file readable by the app: the desktop window knows its path; a browser sends the bytes.
 * @returns a path that `datasets.inspect` takes
 */
export async function pathOfFile(file: File): Promise<string> {
  const known = window.bridge?.pathForFile?.(file) ?? ''
  return known === '' ? (await sendFile(file, { name: file.name })).path : known
}

/** @param query what the host is told beside the bytes: see `Sent` of serve-files.ts */
export async function sendFile(
  file: File,
  query: Readonly<Record<string, string>>,
): Promise<{ readonly path: string; readonly into: string | null }> {
  let response: Response
  try {
    response = await fetch(`upload?${new URLSearchParams(query).toString()}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${await ownKey()}` },
      body: file,
    })
  } catch (error) {
    throw unreachable(error)
  }
  const body: unknown = await response.json().catch(() => null)
  if (typeof body === 'object' && body !== null && 'path' in body && typeof body.path === 'string')
    return { path: body.path, into: 'into' in body && typeof body.into === 'string' ? body.into : null }
  if (typeof body === 'object' && body !== null && 'error' in body)
    throw fromWire(body.error as Parameters<typeof fromWire>[0]) // the host's own refusal
  throw new AppError({
    code: 'internal',
    message: `The file "${file.name}" could not be handed to Pairlab (${response.status}).`,
    hint: 'Check the free disk space and try again.',
  })
}

/** Asks for a file: the system's dialog on the desktop, the browser's otherwise. Null when nothing was chosen. */
export async function chooseFile(
  accept = '.jsonl,.ndjson,.json,.csv,.tsv,.txt,.npz,.svm,.svmlight,.letor,.parquet,.gz',
): Promise<string | null> {
  if (window.bridge?.pickFile !== undefined) return window.bridge.pickFile('preferences')
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = accept
  const file = await new Promise<File | null>((resolve) => {
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null))
    input.addEventListener('cancel', () => resolve(null))
    input.click()
  })
  return file === null ? null : pathOfFile(file)
}

/** The system's dialog for a model that is a file; null when nothing was chosen or there is none. */
export async function chooseModelFile(): Promise<string | null> {
  return (await window.bridge?.pickFile('model')) ?? null
}

/** Only the desktop window can: a browser never tells a page where a folder or a file is. */
export function canChooseFolder(): boolean {
  return window.bridge?.pickFolder !== undefined
}

/** The system's dialog; null when nothing was chosen or there is none. */
export async function chooseFolder(title: string): Promise<string | null> {
  return (await window.bridge?.pickFolder(title)) ?? null
}
