import type { TokenPreview } from '../../../shared/contract/runs.ts'
import { isTextAlgorithm } from '../../core/learn/registry.ts'
import { requireDataset } from '../store/datasets.ts'
import { readItems } from '../store/items.ts'
import { openRecords, readUnpaired } from '../store/records.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import type { CheckedRequest } from './run-request.ts'

/**
 * The first rows of the request's data as its model reads them.
 * @returns null where the tokenizer is made when the run begins, or the data holds no completions
 * @throws AppError for a model or a record that cannot be read
 */
export async function previewTokens(
  { db, dataFolder, reader }: Pick<HandlerDeps, 'db' | 'dataFolder' | 'reader'>,
  { request, algorithm, config, training, layout, start, registered }: CheckedRequest,
  count: number,
): Promise<TokenPreview | null> {
  const folder = start?.path ?? registered?.path ?? null
  if (folder === null || algorithm.data !== 'response-pairs') return null
  const { datasetId } = request.data
  const isUnpaired = requireDataset(db, datasetId).kind === 'unpaired-responses'
  const records = openRecords(dataFolder, datasetId)
  try {
    const rows = readItems(db, datasetId, 0, count).map((item) => {
      if (isUnpaired) {
        const { pairId, data } = readUnpaired(records, item)
        return { pairId, prompt: data.prompt, completion: data.completion }
      }
      const { pairId, prompt, a } = records.read(item)
      return { pairId, prompt, completion: a }
    })
    const rollout = isTextAlgorithm(algorithm) ? (algorithm.rollout?.(config) ?? null) : null
    const written = [
      ...(algorithm.role === 'policy' && training.samplePrompts > 0 ? [training.sampleTokens] : []),
      ...(rollout === null ? [] : [rollout.maxTokens]),
    ]
    return await reader.ask('tokens', { folder, layout, rows, maxLength: training.maxLength, written })
  } finally {
    records.close()
  }
}
