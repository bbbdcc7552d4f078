import {
  QueryClient,
  keepPreviousData,
  notifyManager,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query'
import type { CallName, Input, Output } from '../../shared/contract.ts'
import type { AppError } from '../../shared/errors.ts'
import { asAppError, client, isUnanswered } from './client.ts'

/** The app is on this machine and tells of every change, so nothing is stale until an event says so. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
})

// A box that is clicked must show its new state when the click is over: React sets it back to what it was told last, and
// the library's own moment for telling, a timer, comes a frame or more later on a busy machine.
notifyManager.setScheduler(queueMicrotask)

export interface CallOptions {
  readonly enabled?: boolean
  /** Keep showing the last answer while another input is fetched. */
  readonly keepPrevious?: boolean
  readonly refetchIntervalMs?: number
}

export async function callApp<N extends CallName>(name: N, input: Input<N>): Promise<Output<N>> {
  try {
    return await client.call(name, input)
  } catch (error) {
    throw asAppError(error)
  }
}

/**
 * One call of the contract as a cached query; refetched when an event touches it. What was known before Pairlab ended
 * stays on the page, and what a person has in hand there: the status bar says that nobody answers.
 */
export function useCall<N extends CallName>(
  name: N,
  input: Input<N>,
  options: CallOptions = {},
): UseQueryResult<Output<N>, AppError> {
  const result = useQuery<Output<N>, AppError>({
    queryKey: [name, input],
    queryFn: () => callApp(name, input),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.keepPrevious === true ? { placeholderData: keepPreviousData as never } : {}), // its type is generic over the data
    ...(options.refetchIntervalMs === undefined ? {} : { refetchInterval: options.refetchIntervalMs }),
  })
  if (!result.isRefetchError || !isUnanswered(result.error)) return result
  return { ...result, status: 'success', error: null, isError: false, isRefetchError: false, isSuccess: true }
}

export interface MutateOptions<N extends CallName> {
  /** Calls whose cached answers this one changes, whatever their input. */
  readonly invalidate?: readonly CallName[]
  readonly onSuccess?: (output: Output<N>, input: Input<N>) => void
  readonly onError?: (error: AppError, input: Input<N>) => void
}

/** One call of the contract that changes something. */
export function useMutate<N extends CallName>(
  name: N,
  options: MutateOptions<N> = {},
): UseMutationResult<Output<N>, AppError, Input<N>> {
  const cache = useQueryClient()
  return useMutation<Output<N>, AppError, Input<N>>({
    mutationFn: (input) => callApp(name, input),
    onSuccess: (output, input) => {
      for (const call of options.invalidate ?? []) void cache.invalidateQueries({ queryKey: [call] })
      options.onSuccess?.(output, input)
    },
    onError: (error, input) => options.onError?.(error, input),
  })
}
