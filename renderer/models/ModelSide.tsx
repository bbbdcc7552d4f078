import { useState, type ReactNode } from 'react'
import type { ModelDetail } from '../../shared/contract/models.ts'
import { formatBytes, formatCount, formatDateTime } from '../../shared/units.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Section } from '../parts/Panel.tsx'

/** Configuration, tokenizer, template and licence, as the files have them. */
export function ModelSide({ model }: { readonly model: ModelDetail }): ReactNode {
  return (
    <>
      <Section title="Sizes">
        <dl className="facts">
          <div>
            <dt>Weights</dt>
            <dd className="mono">{formatCount(model.parameterCount)}</dd>
          </div>
          <div>
            <dt>As stored</dt>
            <dd className="mono">
              {formatBytes(model.sizeBytes)}, {model.dtype}
            </dd>
          </div>
          <div>
            <dt>In memory, as float32</dt>
            <dd className="mono">{formatBytes(4 * model.parameterCount)}</dd>
          </div>
          <div>
            <dt>Vocabulary</dt>
            <dd className="mono">{formatCount(model.vocabSize)}</dd>
          </div>
          <div>
            <dt>Context</dt>
            <dd className="mono">
              {model.contextLength === null ? 'not said' : `${formatCount(model.contextLength)} tokens`}
            </dd>
          </div>
          <div>
            <dt>Verified</dt>
            <dd>{model.verifiedAtMs === null ? 'never' : formatDateTime(model.verifiedAtMs)}</dd>
          </div>
        </dl>
      </Section>
      <Tokenizer model={model} />
      <Section
        title="Chat template"
        note={model.chatTemplate === null ? 'none' : `${formatCount(model.chatTemplate.length)} characters`}
      >
        {model.chatTemplate === null ? (
          <p className="small text-3">Prompts are plain text; the Playground can only complete them.</p>
        ) : (
          <Source label="Chat template" text={model.chatTemplate} />
        )}
      </Section>
      <Section title="config.json">
        {Object.keys(model.config).length === 0 ? (
          <p className="small text-3">It cannot be read while the files are gone.</p>
        ) : (
          <Source label="config.json" text={JSON.stringify(model.config, null, 2)} />
        )}
      </Section>
      <Section title="Licence" note={model.licence?.name}>
        {model.licence === null ? (
          <p className="small text-2">
            No licence file was found in the folder. Check under what terms the model may be used.
          </p>
        ) : (
          <Source label="Licence" text={model.licence.text} />
        )}
      </Section>
    </>
  )
}

const SOME = 24

function Tokenizer({ model }: { readonly model: ModelDetail }): ReactNode {
  const [all, setAll] = useState(false)
  const { tokenizer } = model
  if (tokenizer === null)
    return (
      <Section title="Tokenizer">
        <p className="small text-2">
          {model.hasTokenizer
            ? 'It cannot be read now.'
            : 'There is no tokenizer.json: the model can be looked at, and not trained.'}
        </p>
      </Section>
    )
  const shown = all ? tokenizer.special : tokenizer.special.slice(0, SOME)
  return (
    <Section title="Tokenizer" note={`${tokenizer.type}, ${formatCount(tokenizer.tokens)} tokens`}>
      <div className="col">
        <span className="small text-2">
          {tokenizer.special.length === 0 ? 'It has no special tokens.' : 'Special tokens:'}
        </span>
        <span className="row wrap gap-1">
          {shown.map((token) => (
            <Chip key={token}>
              <span className="mono">{token}</span>
            </Chip>
          ))}
        </span>
        {tokenizer.special.length > SOME ? (
          <Button small look="quiet" onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `Show all ${tokenizer.special.length}`}
          </Button>
        ) : null}
      </div>
    </Section>
  )
}

/** Text as it stands in a file; focusable, so that it scrolls by keyboard. */
function Source({ label, text }: { readonly label: string; readonly text: string }): ReactNode {
  return (
    <pre className="model-source" tabIndex={0} role="region" aria-label={label}>
      {text}
    </pre>
  )
}
