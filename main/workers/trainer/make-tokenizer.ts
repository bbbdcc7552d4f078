import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { TokenizerSpec } from '../../../shared/run-spec.ts'
import { writeRunFile } from '../../base/run-folder/run-file.ts'
import { byteTokenizer, trainBpe } from '../../core/learn/tokens/bpe-trainer.ts'
import type { RunContext } from './run-context.ts'

/** Trained on the training side alone, and kept by content: runs on the same rows share it. → a tokenizer.json */
export function makeTokenizer(context: RunContext, spec: TokenizerSpec, texts: Iterable<string>): unknown {
  if (spec.kind === 'byte') return byteTokenizer()
  const key = createHash('sha256')
    .update(JSON.stringify(['bpe', 1, spec.vocabSize, context.spec.data.viewHash]))
    .digest('hex')
  const file = path.join(context.spec.cacheFolder, 'tokenizers', `${key}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  context.phase('tokenizer')
  const json = trainBpe(texts, spec.vocabSize)
  mkdirSync(path.dirname(file), { recursive: true })
  writeRunFile(file, JSON.stringify(json))
  return json
}
