// A folder as a browser hands it out: which of its files are sent, and where they lie in it.

/** A file of a folder, by its path inside, with slashes. */
export interface InnerFile {
  readonly path: string
  readonly file: File
}

/** As the host has it. */
export const MOST_FILES = 1000
const MOST_DEPTH = 8

/** What of a folder is sent: nothing hidden, nothing deeper than the host takes. */
export function filesToSend(files: readonly InnerFile[]): readonly InnerFile[] {
  return files.filter(({ path }) => {
    const parts = path.split('/')
    return parts.length <= MOST_DEPTH && !parts.some((part) => part.startsWith('.'))
  })
}

export function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

/** Every file below a dropped folder, as far as the host would take it. */
export async function filesBelow(folder: FileSystemDirectoryEntry, prefix = '', depth = 1): Promise<InnerFile[]> {
  const found: InnerFile[] = []
  for (const entry of await readEntries(folder)) {
    if (entry.name.startsWith('.') || found.length > MOST_FILES) continue
    const path = `${prefix}${entry.name}`
    if (isDirectory(entry)) {
      if (depth < MOST_DEPTH) found.push(...(await filesBelow(entry, `${path}/`, depth + 1)))
    } else {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) // what is no folder is a file
      found.push({ path, file })
    }
  }
  return found
}

/** A browser hands out a hundred at a time. */
async function readEntries(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0 || all.length > MOST_FILES) return all
    all.push(...some)
  }
}
