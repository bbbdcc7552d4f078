import type { CheckpointChoice } from './domain.ts'

/**
 * How a person names a model in one word, on the command line as in the page's address: `networks`, `new:micro`,
 * `run:sft-1`, `run:sft-1@best`, `run:sft-1@200` (its checkpoint at step 200), `model:SmolLM`. What it names need not be there.
 */
export type ModelReference =
  | { readonly kind: 'networks' }
  /** A new decoder; '' leaves the size to whoever reads it. */
  | { readonly kind: 'new'; readonly preset: string }
  /** A run's checkpoint, the last where none is named; by the run's id, or by what a person calls it. */
  | { readonly kind: 'run'; readonly run: string; readonly checkpoint: CheckpointChoice }
  /** A model that was added, by its id or its name. */
  | { readonly kind: 'model'; readonly model: string }

/** Null for anything else: a path, an empty name, a checkpoint that there is not. */
export function parseModelReference(text: string): ModelReference | null {
  if (text === 'networks') return { kind: 'networks' }
  const [, kind, name = ''] = /^(new|run|model)(?::(.*))?$/s.exec(text) ?? []
  if (kind === 'new') return { kind, preset: name }
  if (name === '') return null
  if (kind === 'model') return { kind, model: name }
  const at = name.lastIndexOf('@')
  const [run, checkpoint] = at < 0 ? [name, 'last'] : [name.slice(0, at), name.slice(at + 1)]
  if (kind !== 'run' || run === '' || checkpoint === undefined) return null
  if (checkpoint === 'best' || checkpoint === 'last') return { kind, run, checkpoint }
  return /^(0|[1-9]\d{0,14})$/.test(checkpoint) ? { kind, run, checkpoint: Number(checkpoint) } : null
}

export function formatModelReference(reference: ModelReference): string {
  switch (reference.kind) {
    case 'networks':
      return 'networks'
    case 'new':
      return `new:${reference.preset}`
    case 'run':
      return `run:${reference.run}${reference.checkpoint !== 'last' || reference.run.includes('@') ? `@${reference.checkpoint}` : ''}`
    case 'model':
      return `model:${reference.model}`
  }
}
