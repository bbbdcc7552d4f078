import { useEffect, useMemo, useState } from 'react'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { Output } from '../../shared/contract.ts'
import type { AppError } from '../../shared/errors.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { callApp, useCall } from '../api/queries.ts'
import { draftFields, emptyDraft, readDraft, type Draft, type DraftField } from './draft.ts'
import { changeMethod, changeModel } from './draft-changes.ts'
import { draftOf } from './draft-of-request.ts'
import { judgeField } from './judge-field.ts'
import { placeProblems, placesOf } from './problems.ts'

const SETTLE_MS = 350

/** The value once it has rested. */
export function useSettled<T>(value: T, afterMs = SETTLE_MS): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), afterMs)
    return () => clearTimeout(timer)
  }, [value, afterMs])
  return settled
}

const STORE_KEY = 'pairlab.train'

/** Kept with the tab, so that neither a look at another page nor a reload empties the form. */
let remembered: Draft | null = restore()

/** Null where there is none, or one of another version: it must have every part that an empty form has. */
function restore(): Draft | null {
  try {
    const kept: unknown = JSON.parse(globalThis.sessionStorage?.getItem(STORE_KEY) ?? 'null')
    const like = emptyDraft('', { id: '', presets: [{ id: '' }] } as unknown as AlgorithmInfo)
    return hasPartsOf(kept, like) ? (kept as Draft) : null
  } catch {
    return null // damaged, or no storage
  }
}

function hasPartsOf(value: unknown, like: object): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(like).every(([key, part]) => {
      const own = (value as Record<string, unknown>)[key]
      if (typeof part !== 'object' || part === null) return typeof own === typeof part
      return Array.isArray(part) === Array.isArray(own) && hasPartsOf(own, part)
    })
  )
}

function remember(draft: Draft): void {
  remembered = draft
  globalThis.sessionStorage?.setItem(STORE_KEY, JSON.stringify(draft))
}

export interface TrainForm {
  readonly draft: Draft
  readonly algorithm: AlgorithmInfo
  readonly algorithms: readonly AlgorithmInfo[]
  readonly datasets: readonly DatasetSummary[]
  readonly dataset: DatasetSummary | undefined
  readonly fields: readonly DraftField[]
  readonly request: RunRequestInput
  /** Place → problem, from the form or from the host. */
  readonly problems: Readonly<Record<string, string>>
  readonly otherProblems: readonly string[]
  readonly check: Output<'runs.check'> | undefined
  readonly checkError: AppError | null
  readonly valid: boolean
  change(draft: Draft): void
}

/** The first choice: the address' data set, else the last one used, else the one with the most labels. */
function firstDataset(datasets: readonly DatasetSummary[], wanted: string | null): string {
  const known = (id: string | null | undefined): boolean => datasets.some((one) => one.datasetId === id)
  if (wanted !== null && known(wanted)) return wanted
  if (known(remembered?.datasetId)) return remembered?.datasetId ?? ''
  return datasets.toSorted((one, two) => two.labeledCount - one.labeledCount)[0]?.datasetId ?? ''
}

/** Data of another kind brings its own methods: the first of them, where the chosen one cannot read it. */
function fitMethod(draft: Draft, algorithms: readonly AlgorithmInfo[], datasets: readonly DatasetSummary[]): Draft {
  const kind = datasets.find((one) => one.datasetId === draft.datasetId)?.kind
  const chosen = algorithms.find((one) => one.id === draft.method)
  const able = algorithms.filter((one) => kind !== undefined && one.kinds.includes(kind))
  // Of single answers the usual choice learns from the bad ones too, which takes a reference; imitation does not.
  const fitting = (kind === 'unpaired-responses' ? able.find((one) => one.needsReference) : undefined) ?? able[0]
  return kind === undefined || chosen?.kinds.includes(kind) === true || fitting === undefined
    ? draft
    : changeMethod(draft, fitting)
}

/** All of the Train page's state. Null until methods and data sets are known. */
export function useTrainForm(
  algorithms: readonly AlgorithmInfo[],
  datasets: readonly DatasetSummary[],
  wanted: { readonly datasetId: string | null; readonly modelId: string | null },
  cloned: Draft | null,
): TrainForm | null {
  const [draft, setDraft] = useState<Draft | null>(() => {
    const first = algorithms.find((one) => one.id === 'dpo') ?? algorithms[0]
    if (first === undefined) return null
    const start = cloned ?? remembered ?? emptyDraft('', first)
    if (cloned !== null) return start
    const method = algorithms.find((one) => one.id === start.method) ?? first
    const begun =
      wanted.modelId === null
        ? start
        : changeModel(start, { ...start.model, kind: 'registered', modelId: wanted.modelId, pretrained: true }, method)
    return fitMethod({ ...begun, datasetId: firstDataset(datasets, wanted.datasetId) }, algorithms, datasets)
  })
  const algorithm = algorithms.find((one) => one.id === draft?.method) ?? algorithms[0]
  const fields = useMemo(
    () => (algorithm === undefined ? [] : draftFields(algorithm, draft?.preset ?? '')),
    [algorithm, draft?.preset],
  )
  const read = useMemo(
    () => (draft === null || algorithm === undefined ? null : readDraft(draft, algorithm, judgeField)),
    [draft, algorithm],
  )
  const local = read === null ? {} : read.problems
  const formValid = read !== null && Object.keys(local).length === 0 && draft?.datasetId !== ''
  const settled = useSettled(read?.request)
  const check = useCall(
    'runs.check',
    { request: settled as RunRequestInput },
    { enabled: settled !== undefined && formValid, keepPrevious: true },
  ) // enabled only with a request
  if (draft === null || algorithm === undefined || read === null) return null
  const typed = Object.entries(local).map(([path, message]) => ({ path, message }))
  // What the host said was of settings that were complete: it says nothing of those that are wrong now.
  const placed = placeProblems(
    typed.length > 0 ? typed : (check.data?.problems ?? []),
    placesOf(draft, algorithm, judgeField),
  )
  const current = settled === read.request && !check.isPlaceholderData
  return {
    draft,
    algorithm,
    algorithms,
    datasets,
    dataset: datasets.find((one) => one.datasetId === draft.datasetId),
    fields,
    request: read.request,
    problems: placed.beside,
    otherProblems: placed.other,
    check: check.data,
    checkError: formValid ? check.error : null,
    valid: formValid && current && check.data !== undefined && check.data.problems.length === 0,
    change(next) {
      const fitted = fitMethod(next, algorithms, datasets)
      remember(fitted)
      setDraft(fitted)
    },
  }
}

/** The form of a finished or running run, for "clone". Null while it is read or when there is none to clone. */
export async function fetchClone(runId: string, algorithms: readonly AlgorithmInfo[]): Promise<Draft> {
  const request = await callApp('runs.request', { runId: runId as never }) // the address bar's id; the host checks it
  const algorithm = algorithms.find((one) => one.id === request.method) ?? algorithms[0]
  if (algorithm === undefined) throw new Error('there are no methods')
  return draftOf(request, algorithm, judgeField)
}
