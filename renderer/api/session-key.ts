import { AppError } from '../../shared/errors.ts'

const KEY_NAME = 'pairlab.key'

/**
 * The address that the host prints carries a code that is good once. It is taken out of the address at once, so that it
 * is in no bookmark, and changed for the key of the session, which stays in this tab's storage for a reload.
 */
function takeCode(): string | null {
  const url = new URL(window.location.href)
  const code = url.searchParams.get('code')
  if (code === null) return null
  url.searchParams.delete('code')
  window.history.replaceState(null, '', url)
  return code
}

async function exchange(code: string): Promise<string | null> {
  const response = await fetch('enter', { method: 'POST', body: code })
  const reply: unknown = await response.json().catch(() => null)
  const value = typeof reply === 'object' && reply !== null && 'value' in reply ? reply.value : null
  return typeof value === 'object' && value !== null && 'key' in value && typeof value.key === 'string'
    ? value.key
    : null
}

const code = window.bridge === undefined ? takeCode() : null
let entering: Promise<void> | null = null

/** Of a host that was started anew, in place of the one before. */
export function setSessionKey(key: string): void {
  window.sessionStorage.setItem(KEY_NAME, key)
}

async function enter(given: string): Promise<void> {
  const key = await exchange(given)
  if (key !== null) setSessionKey(key)
}

/** The key that every request of a browser's page carries; '' where this tab never got one. @throws while the host cannot be reached */
export async function sessionKey(): Promise<string> {
  if (code !== null) {
    entering ??= enter(code).catch((error: unknown) => {
      entering = null // the host was not reached, so the code is still good
      throw error
    })
    await entering
  }
  return window.sessionStorage.getItem(KEY_NAME) ?? ''
}

/** What to do where the host refuses this tab. */
export function refusedTab(details: Readonly<Record<string, string>>): AppError {
  return new AppError({
    code: 'forbidden',
    message: 'This tab has no key to Pairlab: its address was opened before, or Pairlab was started anew.',
    hint: 'Run "pairlab serve --open" (from the source: npm run pairlab -- serve --open): it opens the page anew.',
    details,
  })
}
