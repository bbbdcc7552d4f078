import type { UseQueryResult } from '@tanstack/react-query'
import type { TokenPreview } from '../../shared/contract/runs.ts'
import type { AppError } from '../../shared/errors.ts'
import { useCall } from '../api/queries.ts'
import { useSettled, type TrainForm } from './use-train.ts'

/** The first rows as the chosen model reads them. Null where none are shown: a new model's tokenizer is yet to be made. */
export function useTokenPreview({
  algorithm,
  draft,
  request,
  valid,
}: TrainForm): UseQueryResult<TokenPreview | null, AppError> | null {
  const wanted = algorithm.data === 'response-pairs' && valid && draft.model.kind !== 'new'
  const preview = useCall('runs.tokens', { request: useSettled(request) }, { enabled: wanted, keepPrevious: true })
  return wanted ? preview : null
}
