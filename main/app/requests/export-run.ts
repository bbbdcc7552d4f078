// A checkpoint of a run as a folder that other programs open.
import { existsSync } from 'node:fs'
import type { ExportForm } from '../../../shared/contract/runs.ts'
import type { RunId } from '../../../shared/domain.ts'
import { requestOf } from '../../../shared/request-of.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import { findAlgorithm } from '../../core/learn/registry.ts'
import { openLanguage } from '../../core/learn/tokens/language.ts'
import { openModelFiles, type ModelFiles } from '../../core/models/checkpoint-files.ts'
import { licenceNamed } from '../../core/models/model-files.ts'
import { framedBy } from '../../core/models/framed-tokenizer.ts'
import { exportGguf, exportModel } from '../../core/models/export-model.ts'
import { saveEmbedder, type EmbedderToSave } from '../../core/models/save-embedder.ts'
import { PLAIN_SETUP, readEmbeddingSetup } from '../../core/models/sentence-transformers.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import { describeChosen, heldOutAt } from '../runs/chosen.ts'
import { modelCard } from '../runs/model-card.ts'
import { chooseForm } from './export-forms.ts'
import { readRunSpec } from '../store/runs.ts'
import type { StartPoint } from './find-checkpoint.ts'
import { commandFor } from './run-command.ts'

/**
 * @param wanted null: the run's usual form
 * @param target made here; must not exist, or be empty
 * @returns names of the files, sorted
 * @throws AppError `input-invalid` for a full folder or a form that the run does not have, `spec-invalid` for a damaged checkpoint
 */
export async function exportRun(
  { db }: HandlerDeps,
  runId: RunId,
  start: StartPoint,
  wanted: ExportForm | null,
  target: string,
): Promise<string[]> {
  const spec = readRunSpec(db, runId)
  const form = chooseForm(spec, start.path, wanted)
  const origin = spec.model.kind === 'registered' ? spec.model.path : null
  const licence = origin === null || !existsSync(origin) ? null : licenceNamed(origin)
  const card = cardOf(db, spec, start, { form, licence })
  if (form === 'gguf-f16' || form === 'gguf-q8_0')
    return exportGguf(start.path, target, { type: form === 'gguf-f16' ? 'F16' : 'Q8_0', name: runId, origin, card })
  if (form !== 'embedder')
    return exportModel(start.path, target, {
      form,
      writes: findAlgorithm(spec.method).data !== 'rankings',
      origin,
      card,
    })
  const files = await openModelFiles(start.path)
  try {
    return await saveEmbedder(embedderOf(spec, files, origin), target, card)
  } finally {
    files.close()
  }
}

/** As the run itself embeds a text. */
function embedderOf(
  { method, config, training, layout }: RunSpec,
  { config: network, tokenizer, language, source }: ModelFiles,
  origin: string | null,
): EmbedderToSave {
  const similarity = (config as { readonly similarity?: 'cosine' | 'dot' }).similarity ?? null // ranking and contrast pages that have it call it so
  const made = { config: network, weights: source, similarity, origin }
  if (findAlgorithm(method).data === 'contrast-groups')
    // The mean over the text's own tokens and what its model begins every text with.
    return {
      ...made,
      ...PLAIN_SETUP,
      tokenizer: {
        ...framedBy(tokenizer, openLanguage(language, layout).format.opening, []),
        truncation: null,
        padding: null,
      },
      ownFrame: true,
      maxTokens: training.maxLength,
    }
  const setup = origin === null || !existsSync(origin) ? PLAIN_SETUP : readEmbeddingSetup(origin)
  return {
    ...made,
    tokenizer,
    ownFrame: false,
    head: { ...setup.head, normalize: setup.head.normalize || similarity === 'cosine' },
    lowercase: setup.lowercase,
    maxTokens: Math.min(training.maxLength, setup.maxTokens ?? Infinity),
  }
}

function cardOf(
  db: HandlerDeps['db'],
  spec: RunSpec,
  { run, step, hash }: StartPoint,
  how: { readonly form: ExportForm; readonly licence: string | null },
): string {
  const algorithm = findAlgorithm(spec.method)
  const chosen = describeChosen(db, run)
  return modelCard({
    spec,
    ...how,
    methodName: algorithm.name,
    kind: algorithm.data,
    engine: run.engine,
    paper: algorithm.paper,
    step,
    checkpointHash: hash,
    heldOut: heldOutAt(db, run.runNo, step),
    chosenBy: chosen?.step === step ? (chosen.by ?? algorithm.mainMetric) : null,
    command: commandFor({
      algorithm,
      config: spec.config,
      training: spec.training,
      pretrained: spec.pretrained,
      request: { ...requestOf(spec), engine: spec.engine },
    }),
  })
}
