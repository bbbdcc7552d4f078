import type { TensorSource } from '../../main/core/learn/models/parameters.ts'
import { openAnyModel } from '../../main/core/models/folder.ts'
import { saveEmbedder } from '../../main/core/models/save-embedder.ts'
import { readEmbeddingSetup } from '../../main/core/models/sentence-transformers.ts'

/** What the embedder of a folder is, written again. @param changed its network's weights as they are to be written */
export async function saveCopy(
  folder: string,
  target: string,
  changed: (own: TensorSource) => TensorSource = (own) => own,
): Promise<string[]> {
  const model = openAnyModel(folder, true)
  const { head, weights, maxTokens, lowercase } = readEmbeddingSetup(folder)
  const made = {
    config: model.configJson,
    tokenizer: model.tokenizer,
    ownFrame: false,
    weights: { read: (name: string) => (name.startsWith('dense.') ? weights : changed(model)).read(name) },
    head,
    similarity: null,
    maxTokens,
    lowercase,
    origin: folder,
  }
  try {
    return await saveEmbedder(made, target, '# A model\n')
  } finally {
    model.close()
  }
}
