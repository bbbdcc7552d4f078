import { setSessionKey } from './session-key.ts'

/**
 * What this page and the hosts of its data folder share. It stays in this document: whatever gets the port after Pairlab
 * ended could read the tab's storage, were the tab loaded anew.
 */
let secret: CryptoKey | null = null

/** `stranger`: what answers on this page's port is not Pairlab on its data folder. `away`: nothing answers. */
export type Meeting = 'met' | 'stranger' | 'away'

const text = new TextEncoder()
const toBase64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

async function post(path: string, body: unknown): Promise<Readonly<Record<string, unknown>> | null> {
  const response = await fetch(path, { method: 'POST', body: JSON.stringify(body) })
  const reply: unknown = await response.json().catch(() => null)
  if (typeof reply !== 'object' || reply === null || !('value' in reply)) return null
  return typeof reply.value === 'object' ? (reply.value as Readonly<Record<string, unknown>> | null) : null
}

/** Asks the host that this tab has the key of what is needed to know the next one. Without it a page is opened anew. */
export async function remember(key: string): Promise<void> {
  if (secret !== null) return
  const response = await fetch('remember', { method: 'POST', headers: { authorization: `Bearer ${key}` } })
  const reply = (await response.json()) as { readonly value?: { readonly secret?: string | null } }
  const given = reply.value?.secret
  if (given === undefined || given === null) return
  secret = await crypto.subtle.importKey('raw', text.encode(given), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

async function proof(of: CryptoKey, who: 'host' | 'page', nonce: string): Promise<string> {
  const said = text.encode(`${who} ${window.location.port} ${nonce}`)
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', of, said)))
}

async function meet(known: CryptoKey): Promise<Meeting> {
  const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(24)))
  const host = await post('greet', { nonce })
  if (host === null || host['proof'] !== (await proof(known, 'host', nonce))) return 'stranger'
  const drawn = String(host['nonce'])
  const entry = await post('return', { nonce: drawn, proof: await proof(known, 'page', drawn) })
  if (typeof entry?.['key'] !== 'string') return 'stranger'
  setSessionKey(entry['key'])
  gone = false
  return 'met'
}

/** The connection to the host ended: until it has shown itself again, what answers may be anything. */
let gone = false

export function hostGone(): void {
  gone = secret !== null
}

/** Whether what is sent now reaches the host of this page. */
export async function atHome(): Promise<boolean> {
  return !gone || (await meetAgain()) === 'met'
}

let meeting: Promise<Meeting> | null = null

/** Gets the key of the host that was started anew on the same port and data folder, once that has shown that it is the one. */
export function meetAgain(): Promise<Meeting> {
  if (secret === null) return Promise.resolve('stranger')
  meeting ??= meet(secret)
    .catch((): Meeting => 'away')
    .finally(() => {
      meeting = null
    })
  return meeting
}
