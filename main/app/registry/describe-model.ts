import type { ModelDetail, ModelSummary } from '../../../shared/contract/models.ts'
import { weightsFolder, type ModelEntry } from '../store/models-file.ts'
import type { ReadableDb } from '../store/open.ts'
import { listRuns, readRunSpec } from '../store/runs.ts'
import { findChange, type ModelReading } from '../../core/models/read-model.ts'

/** @param dataFolder absolute */
export function summarizeModel(dataFolder: string, entry: ModelEntry): ModelSummary {
  const path = weightsFolder(dataFolder, entry)
  const change = findChange(path, entry.files)
  const differs = entry.verified !== null && entry.verified.hash !== entry.hash
  const { licence, unused, ...facts } = entry.facts
  const state = change?.kind ?? (differs ? 'changed' : 'ready')
  return {
    ...facts,
    modelId: entry.modelId,
    name: entry.name,
    place: entry.place,
    path,
    source: entry.source,
    originRunId: entry.originRunId,
    hash: entry.hash,
    licenceName: licence?.name ?? null,
    unusedCount: unused.length,
    addedAtMs: entry.addedAtMs,
    state,
    trouble: state === 'ready' ? null : troubleOf(path, state, change?.file ?? null),
  }
}

function troubleOf(
  folder: string,
  state: 'missing' | 'changed',
  file: string | null,
): NonNullable<ModelSummary['trouble']> {
  if (state === 'missing')
    return {
      message: file === null ? `The folder ${folder} is gone.` : `${file} is gone from ${folder}.`,
      hint: 'Put it back, e.g. connect the disk it is on, or remove the model from the list.',
    }
  return {
    message:
      file === null
        ? 'Its files are not those that were added.'
        : `${file} has another size or time than when it was added.`,
    hint: 'Verify the model: its bytes are then compared with those that were added.',
  }
}

/** @param reading of its folder; null while the files cannot be read, as the state says */
export function describeModel(
  db: ReadableDb,
  dataFolder: string,
  entry: ModelEntry,
  reading: ModelReading | null,
): ModelDetail {
  const summary = summarizeModel(dataFolder, entry)
  const runs = listRuns(db).flatMap((run) => {
    const { model } = readRunSpec(db, run.runId)
    if (model.kind !== 'registered' || model.modelId !== entry.modelId) return []
    return [
      {
        runId: run.runId,
        name: run.name,
        methodName: run.methodName,
        seed: run.seed,
        state: run.state,
        groupHash: run.groupHash,
      },
    ]
  })
  return {
    ...summary,
    licence: entry.facts.licence,
    unused: [...entry.facts.unused],
    tensors: reading?.tensors ?? [],
    config: reading?.config ?? {},
    tokenizer: reading?.tokenizer ?? null,
    chatTemplate: reading?.chatTemplate ?? null,
    verifiedAtMs: entry.verified?.atMs ?? null,
    runs,
  }
}
