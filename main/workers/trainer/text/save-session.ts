import { decoderConfigFile } from '../../../core/learn/models/hf-config.ts'
import type { Decoder } from '../../../core/learn/models/decoder.ts'
import { parameterShapes } from '../../../core/learn/models/parameters.ts'
import { languageFiles } from '../../../core/models/language-files.ts'
import { adapterConfigFile, peftName } from '../../../core/models/peft.ts'
import type { TensorToWrite } from '../../../core/models/write.ts'
import type { CheckpointState } from '../../../core/models/checkpoint-files.ts'
import { keepBase, saveCheckpoint, type SavedCheckpoint } from '../checkpoint.ts'
import type { Position } from '../course.ts'
import type { Session } from './text-session.ts'

/**
 * Writes checkpoints of a session: all weights; or, beside a frozen model, the adapters alone. That model is written into
 * the run's folder once where it was made for this run.
 */
export function createSaver({
  context,
  decoder,
  optimizer,
  tokenizer,
  language,
  base,
  reference = null,
}: Pick<Session, 'context' | 'decoder' | 'optimizer' | 'tokenizer' | 'language' | 'base'> &
  Partial<Pick<Session, 'reference'>>): (position: Position) => Promise<SavedCheckpoint> {
  const config = decoderConfigFile(decoder.config, context.spec.training.maxLength)
  const optimizerTensors = Object.fromEntries(
    Object.entries(optimizer.shapes).map(([name, shape]): [string, TensorToWrite] => [
      name,
      { shape, read: () => optimizer.read(name) },
    ]),
  )
  const common = {
    config,
    tokenizer: tokenizer.json,
    language: languageFiles(language, context.spec.layout),
    optimizer: optimizerTensors,
    reference: reference?.moving?.tensors ?? null,
  }
  let note: CheckpointState['base'] = base?.note ?? null

  return async (position) => {
    if (base === null)
      return saveCheckpoint(context.folder, {
        ...common,
        adapter: null,
        weights: tensorsOf(decoder, Object.keys(decoder.shapes)),
        state: { ...position, base: null },
      })
    note ??= await keepBase(context.folder, {
      config,
      tokenizer: tokenizer.json,
      weights: Object.fromEntries(
        Object.entries(parameterShapes(base.start.config)).map(([name, shape]): [string, TensorToWrite] => [
          name,
          { shape, read: () => base.start.source.read(name).data },
        ]),
      ),
    })
    const trained = tensorsOf(decoder, Object.keys(decoder.variables))
    const weights = Object.fromEntries(Object.entries(trained).map(([name, tensor]) => [peftName(name), tensor]))
    return saveCheckpoint(context.folder, {
      ...common,
      adapter: adapterConfigFile(decoder.config, base.lora, note.path),
      weights,
      state: { ...position, base: note },
    })
  }
}

function tensorsOf(decoder: Decoder, names: readonly string[]): Record<string, TensorToWrite> {
  const entry = (name: string): TensorToWrite => ({
    shape: decoder.shapes[name] ?? [],
    async read() {
      const { data } = await decoder.read(name)
      return data
    },
  })
  return Object.fromEntries(names.map((name) => [name, entry(name)]))
}
