import { sayCheckpoint } from '../../../shared/checkpoint-words.ts'
import type { ExportForm } from '../../../shared/contract/runs.ts'
import type { EngineName } from '../../../shared/domain.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import { KIND_WORDS } from '../../../shared/kind-words.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'

export interface CardFacts {
  readonly spec: RunSpec
  readonly form: ExportForm
  /** Of the model that the run began with, by its name. */
  readonly licence: string | null
  readonly methodName: string
  /** Of the data that the method reads. */
  readonly kind: DataKind
  /** That computed it. */
  readonly engine: EngineName
  /** As the method's page cites it. */
  readonly paper: { readonly cite: string; readonly url: string }
  readonly step: number
  readonly checkpointHash: string
  /** What was measured on held-out data at that step. */
  readonly heldOut: Readonly<Record<string, number | null>>
  /** The metric by which the run's validation side chose this step; null where it is not the chosen one. */
  readonly chosenBy: string | null
  readonly command: string
}

/** README.md of an exported model: everything that is needed to say where it came from, and to make it again. */
export function modelCard({
  spec,
  form,
  licence,
  methodName,
  kind,
  engine,
  paper,
  step,
  checkpointHash,
  heldOut,
  chosenBy,
  command,
}: CardFacts): string {
  const { data, training, model } = spec
  const measured = Object.entries(heldOut)
    .filter(([, value]) => value !== null)
    .toSorted(([a], [b]) => a.localeCompare(b))
  const began =
    model.kind === 'networks'
      ? 'new networks'
      : model.kind === 'new'
        ? `a new ${model.preset} model`
        : model.kind === 'run'
          ? `the ${sayCheckpoint(model)} of the run ${model.runId}`
          : `the model ${model.name}`
  const hash = model.kind === 'new' || model.kind === 'networks' ? '' : `, sha256 of its weights \`${model.hash}\``
  return `---
library_name: ${libraryOf(form)}
pipeline_tag: ${form === 'embedder' ? 'sentence-similarity' : 'text-generation'}
tags: [pairlab, ${spec.method}]
${licence === null ? '' : `license: ${licence}\n`}---

# ${spec.name}, seed ${spec.seed}

Trained with Pairlab ${spec.appVersion} by ${methodName} (${paper.cite}, <${paper.url}>).

## Lineage

| | |
|---|---|
| Run | \`${spec.runId}\`, step ${step} of ${training.steps}, weights \`${checkpointHash}\` |
| Began with | ${began}${hash} |
| Data | ${data.datasetName}, fingerprint of the records \`${data.fingerprint}\` |
| Labels | ${labelsOf(data, kind)} |
| ${capital(KIND_WORDS[kind].items)} | ${data.counts.train} training, ${data.counts.validation} validation${data.cutCount > 0 ? ` (${data.cutCount} cut from training, since the data set has none)` : ''}, ${data.counts.test} test |
| Seed | ${spec.seed}; split ${data.split.seed} |
${layoutLine(spec)}| Engine | ${engine} |

## Held-out metrics

${chosenBy === null ? '' : `Step ${step} was chosen among the run's checkpoints by \`${chosenBy}\`, measured on the validation side (\`eval/…\`), which therefore flatters it; \`test/…\` does not.\n\n`}${measured.length === 0 ? 'None were measured at this step.' : `| metric, at step ${step} | value |\n|---|---|\n${measured.map(([name, value]) => `| ${name} | ${Number(value!.toPrecision(5))} |`).join('\n')}`}

## Settings

\`\`\`json
${JSON.stringify({ method: spec.method, config: spec.config, training }, null, 2)}
\`\`\`

Again: \`${command}\`
`
}

/** How many, whose, and what fixes them together with records and split. */
function labelsOf(data: RunSpec['data'], kind: DataKind): string {
  const { labelCount, annotators, aggregation, viewHash } = data
  const together = `records, labels and split together \`${viewHash}\``
  if (!KIND_WORDS[kind].labeled) return `those of the source; ${together}`
  if (labelCount === 0) return `none; ${together}`
  const whose =
    annotators.length === 0
      ? 'all who labeled'
      : `${annotators.length} ${annotators.length === 1 ? 'person' : 'people'}`
  return `${labelCount} ${labelCount === 1 ? 'answer' : 'answers'} by ${whose}, joined by ${aggregation}; ${together}`
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Who serves the model writes prompts as training did. */
function layoutLine({ model, layout }: RunSpec): string {
  if (model.kind === 'networks') return ''
  const words = {
    template: 'by chat_template.jinja, as the model it began with has it',
    tags: 'turns by chat_template.jinja; other prompts as they stand, with the end token after them, which the tokenizer adds',
    plain: 'prompts as they stand, after what the tokenizer puts first',
  }
  return `| Text layout | ${words[layout]} |\n`
}

function libraryOf(form: ExportForm): string {
  if (form === 'embedder') return 'sentence-transformers'
  return form === 'gguf-f16' || form === 'gguf-q8_0' ? 'gguf' : 'transformers'
}
