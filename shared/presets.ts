import type { ModelSpec } from './run-spec.ts'
import type { TrainingConfig } from './training-config.ts'

/** What a preset's values are for: small networks, a model of Pairlab's own made anew, one that was trained elsewhere, or adapters beside such a one. */
export const PRESET_USES = ['networks', 'new', 'pretrained', 'adapters'] as const
export type PresetUse = (typeof PRESET_USES)[number]

/** What training begins with, as far as its usual settings go. */
export interface PresetModel {
  readonly kind: ModelSpec['kind']
  /** Its weights were trained elsewhere first. */
  readonly pretrained: boolean
}

/**
 * The preset that a choice of model begins with: the first that suits it, else the first. Of a model from elsewhere it
 * is the one with adapters, unless all weights are asked for.
 * @param adapt null where it was not asked for
 */
export function presetFor<
  P extends {
    readonly suits?: readonly PresetUse[] | undefined
    readonly training?: { readonly adapt?: TrainingConfig['adapt'] | undefined } | undefined
  },
>(presets: readonly P[], { kind, pretrained }: PresetModel, adapt: TrainingConfig['adapt'] | null = null): P {
  const uses: readonly PresetUse[] = pretrained
    ? adapt === null || adapt === 'lora'
      ? ['adapters', 'pretrained']
      : ['pretrained']
    : kind === 'new' || kind === 'networks'
      ? [kind]
      : []
  const found = uses
    .map((use) => {
      const suited = presets.filter(({ suits }) => suits?.includes(use) === true)
      // Where adapters are asked for, one that trains them before one that is for models from elsewhere in general.
      return (adapt === 'lora' ? suited.find(({ training }) => training?.adapt === 'lora') : undefined) ?? suited[0]
    })
    .find((one) => one !== undefined)
  return found ?? presets[0]! // every method has one
}
