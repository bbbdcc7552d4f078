// Folders that a person drops or chooses: the desktop window knows their paths; a browser sends their files one by one.
import { AppError } from '../../shared/errors.ts'
import { canChooseFolder, chooseFolder, pathOfFile, sendFile } from './client.ts'
import { filesBelow, filesToSend, isDirectory, MOST_FILES, type InnerFile } from './folder-entries.ts'

/** @param onSent how many of how many are there   @returns a path that an import takes */
async function sendFolder(
  name: string,
  files: readonly InnerFile[],
  onSent: (sent: number, of: number) => void,
): Promise<string> {
  const wanted = filesToSend(files)
  if (wanted.length === 0 || wanted.length > MOST_FILES)
    throw new AppError({
      code: 'input-invalid',
      message:
        wanted.length === 0
          ? `The folder ${name} holds no file.`
          : `The folder ${name} holds more than ${MOST_FILES} files.`,
      hint: wanted.length === 0 ? 'Choose the folder in which the data lie.' : 'Give its path on this machine instead.',
    })
  let into: string | null = null
  let root = ''
  for (const [at, { path, file }] of wanted.entries()) {
    onSent(at, wanted.length)
    const sent: Awaited<ReturnType<typeof sendFile>> = await sendFile(file, {
      name: path,
      folder: name,
      ...(into === null ? {} : { into }),
    })
    into = sent.into
    root = sent.path
  }
  return root
}

/** Asks for a folder: the system's dialog on the desktop, the browser's otherwise. Null when nothing was chosen. */
export async function chooseDataFolder(onSent: (sent: number, of: number) => void): Promise<string | null> {
  if (canChooseFolder()) return chooseFolder('A folder of data to import')
  const input = document.createElement('input')
  input.type = 'file'
  input.webkitdirectory = true
  const files = await new Promise<readonly File[]>((resolve) => {
    input.addEventListener('change', () => resolve([...(input.files ?? [])]))
    input.addEventListener('cancel', () => resolve([]))
    input.click()
  })
  const [first] = files
  if (first === undefined) return null
  const [name = 'folder'] = first.webkitRelativePath.split('/')
  const inner = files.map((file) => ({ path: file.webkitRelativePath.split('/').slice(1).join('/'), file }))
  return sendFolder(name, inner, onSent)
}

/** What was dropped, taken from the event before it ends. Null where no file was. */
export function takeDrop(
  transfer: DataTransfer,
): ((onSent: (sent: number, of: number) => void) => Promise<string>) | null {
  const files = [...transfer.files]
  const entries = [...transfer.items].flatMap((item) => (item.kind === 'file' ? (item.webkitGetAsEntry() ?? []) : []))
  const [file] = files
  if (file === undefined) return null
  const [entry] = entries
  return async (onSent) => {
    if (files.length > 1)
      throw new AppError({
        code: 'input-invalid',
        message: `${files.length} files were dropped; an import reads one file or one folder.`,
        hint: 'Drop one of them, or the folder in which they lie.',
      })
    if (entry === undefined || !isDirectory(entry) || window.bridge !== undefined) return pathOfFile(file)
    return sendFolder(entry.name, await filesBelow(entry), onSent)
  }
}
