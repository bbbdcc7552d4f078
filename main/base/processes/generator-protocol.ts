import { z } from 'zod'
import {
  finishReason,
  generatedToken,
  generationPrompt,
  promptLayout,
  samplingSettings,
} from '../../../shared/contract/playground.ts'
import { engineName } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'

/**
 * The app and a process that writes text talk in lines of JSON: commands on its standard input, messages on its
 * standard output. It keeps one model, answers one generation after the other, and ends when its input does.
 */
export const generateStart = z.strictObject({
  engine: engineName,
  threads: z.int().positive().nullable(),
  enginesFolder: z.string().nullable(),
  model: z.strictObject({
    /** `checkpoint`: as a run writes it, adapters included; `folder`: in the layout of the Hugging Face libraries. */
    kind: z.enum(['checkpoint', 'folder']),
    path: z.string(),
    /** Trained here, so that prompts are written as in training. */
    trainedHere: z.boolean(),
  }),
})
export type GenerateStart = z.infer<typeof generateStart>

export const generateJob = z.strictObject({
  id: z.string(),
  prompt: generationPrompt,
  template: z.boolean(),
  settings: samplingSettings,
  seed: z.int(),
  count: z.int().positive(),
  alternatives: z.int(),
})
export type GenerateJob = z.infer<typeof generateJob>

export const generateCommand = z.discriminatedUnion('type', [
  generateJob.extend({ type: z.literal('generate') }),
  z.strictObject({ type: z.literal('cancel'), id: z.string() }),
])
export type GenerateCommand = z.infer<typeof generateCommand>

export const generateMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), device: z.string() }),
  /** The engine or the model could not be opened; the process ends. */
  z.strictObject({ type: z.literal('unfit'), error: wireError }),
  z.strictObject({ type: z.literal('begin'), id: z.string(), layout: promptLayout, promptTokens: z.int() }),
  z.strictObject({ type: z.literal('token'), id: z.string(), row: z.int(), token: generatedToken }),
  z.strictObject({
    type: z.literal('done'),
    id: z.string(),
    completions: z.array(z.strictObject({ text: z.string(), reason: finishReason, stopString: z.string().nullable() })),
  }),
  z.strictObject({ type: z.literal('error'), id: z.string(), error: wireError }),
])
export type GenerateMessage = z.infer<typeof generateMessage>
