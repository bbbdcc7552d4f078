/** What the page says of itself. */
let page = ''
/** What ended while nobody looked, the latest first. */
let unseen: readonly string[] = []

function write(): void {
  const [latest] = unseen
  const rest = page === '' ? 'Pairlab' : `${page} – Pairlab`
  document.title = latest === undefined ? rest : `${unseen.length > 1 ? `(${unseen.length}) ` : ''}${latest} · ${rest}`
}

export function setPageTitle(title: string): void {
  page = title
  write()
}

/** Puts a word in front of the title until `seen`; several are counted. */
export function noteInTitle(word: string): void {
  unseen = [word, ...unseen]
  write()
}

export function seen(): void {
  if (unseen.length === 0) return
  unseen = []
  write()
}
