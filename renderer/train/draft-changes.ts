import { presetFor } from '../../shared/presets.ts'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { modelFor, type Draft, type ModelDraft } from './draft.ts'

/** Another model brings the preset that suits it, unless the draft has values of its own. */
export function changeModel(draft: Draft, model: ModelDraft, algorithm: AlgorithmInfo): Draft {
  const usual = (begins: ModelDraft): string => presetFor(algorithm.presets, modelFor(algorithm, begins)).id
  return { ...draft, model, preset: draft.preset === usual(draft.model) ? usual(model) : draft.preset }
}

/** The same preset where the method has it and the model has not changed its kind, else the one that suits. */
function presetAfter(draft: Draft, model: ModelDraft, algorithm: AlgorithmInfo): string {
  const kept = model.kind === draft.model.kind && algorithm.presets.some((one) => one.id === draft.preset)
  return kept ? draft.preset : presetFor(algorithm.presets, model).id
}

/** Another method keeps what both know: the training settings, not the old method's own; and begins with what it begins with first. */
export function changeMethod(draft: Draft, algorithm: AlgorithmInfo): Draft {
  const shared = Object.entries(draft.typed).filter(([path]) => !path.startsWith('config.'))
  const model: ModelDraft =
    draft.model.kind === 'new' && algorithm.models[0] === 'networks'
      ? { ...draft.model, kind: 'networks' }
      : modelFor(algorithm, draft.model)
  return {
    ...draft,
    model,
    method: algorithm.id,
    preset: presetAfter(draft, model, algorithm),
    typed: Object.fromEntries(shared),
  }
}
