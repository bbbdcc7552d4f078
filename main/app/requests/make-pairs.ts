import { importMapping } from '../../../shared/contract/import-mapping.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { ImportService } from '../data/import-service.ts'

/** The answers of two players as a data set, for people to compare. @throws AppError of the import */
export async function makePairs(imports: ImportService, file: string, name: string): Promise<DatasetId> {
  const columns = { id: 'id', prompt: 'prompt', answer_1: 'a', answer_2: 'b' } as const
  const mapping = importMapping.parse({ format: 'jsonl', layout: 'mapped', columns })
  const jobId = await imports.start({ path: file, name, mapping, licence: null, source: 'match' })
  const { datasetId, error } = await imports.ended(jobId)
  if (datasetId !== null) return datasetId
  throw error === null
    ? new AppError({
        code: 'cancelled',
        message: 'The pairs were not made: the import was cancelled.',
        hint: 'Play the match again.',
      })
    : new AppError({ code: 'dataset-invalid', message: error.message, hint: error.hint })
}
