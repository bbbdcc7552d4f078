import path from 'node:path'
import type { ModelInspection } from '../../../shared/contract/models.ts'
import { AppError } from '../../../shared/errors.ts'
import { isArchive, lookInside } from '../../core/models/gguf/archive.ts'
import { markFiles, type ModelReading } from '../../core/models/read-model.ts'
import type { ModelEntry } from '../store/models-file.ts'
import { freeBytes } from './copy-files.ts'

interface Around {
  readonly dataFolder: string
  readonly known: readonly ModelEntry[]
  /** One that is free. */
  nameFor(wanted: string): string
  readonly readModel: (folder: string) => Promise<ModelReading>
}

/** What would be added. @param place folder, file or archive, absolute */
export async function inspectModel(place: string, around: Around): Promise<ModelInspection> {
  const bare = {
    path: place,
    name: around.nameFor(nameOf(place)),
    facts: null,
    inside: null,
    problems: [],
    notes: [],
    copyBytes: 0,
    freeBytes: await freeBytes(around.dataFolder),
  }
  try {
    if (isArchive(place)) {
      const { name: inside, sizeBytes } = await lookInside(place)
      return { ...bare, name: around.nameFor(nameOf(inside)), inside, copyBytes: sizeBytes }
    }
    const { facts, files } = await around.readModel(place)
    const known = around.known.find((model) => model.place === 'link' && model.source === place)
    const { unused } = facts
    const notes = [
      ...(unused.length === 0
        ? []
        : [
            `${unused.length} tensors are not used by the model: ${unused.slice(0, 5).join(', ')}${unused.length > 5 ? ' …' : ''}.`,
          ]),
      ...(facts.licence === null ? ['No licence file was found: check under what terms the model may be used.'] : []),
      ...(facts.hasTokenizer ? [] : ['There is no tokenizer.json: it can be looked at, and not trained.']),
      ...(known === undefined ? [] : [`It is here already, as "${known.name}".`]),
    ]
    const copyBytes = markFiles(place, files).reduce((sum, file) => sum + file.sizeBytes, 0)
    return { ...bare, facts, notes, copyBytes }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ...bare, problems: [{ message: error.message, hint: error.hint }] }
  }
}

/** Of a folder, or of a file without its ending. */
export function nameOf(place: string): string {
  return path.basename(place).replace(/\.gguf$/i, '')
}
