import type { ReactNode } from 'react'
import type { TokenPreview } from '../../shared/contract/runs.ts'
import { LAYOUT_WORDS } from '../../shared/text-layouts.ts'
import { Section } from '../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import type { TrainForm } from './use-train.ts'
import { useTokenPreview } from './use-token-preview.ts'

/** Of a longer prompt its beginning and its end are shown: what is learned should be in sight. */
const WHOLE_TO = 40
const HEAD = 8
const TAIL = 16

/** The first rows of the data as the chosen model reads them: what is given grey, what is learned coloured. */
export function TokensPanel({ form }: { readonly form: TrainForm }): ReactNode {
  const preview = useTokenPreview(form)
  if (preview === null) return null
  const shown = preview.data ?? null
  return (
    <Section title="As the model reads it" note={shown === null ? undefined : LAYOUT_WORDS[shown.layout]}>
      {preview.error !== null ? (
        <ErrorNotice error={preview.error} onRetry={() => void preview.refetch()} />
      ) : shown === null ? (
        <Loading />
      ) : (
        <Rows preview={shown} verb={form.algorithm.role === 'reward-model' ? 'scored' : 'learned'} />
      )}
    </Section>
  )
}

function Rows({ preview, verb }: { readonly preview: TokenPreview; readonly verb: string }): ReactNode {
  return (
    <>
      {preview.rows.map(({ pairId, prompt, completion, cut }) => (
        <div key={pairId} className="token-row" role="group" aria-label={`Tokens of pair ${pairId}`} tabIndex={0}>
          {prompt.length <= WHOLE_TO ? (
            prompt.map((text, at) => <Token key={at} text={text} kind="given" />)
          ) : (
            <>
              {prompt.slice(0, HEAD).map((text, at) => (
                <Token key={at} text={text} kind="given" />
              ))}
              <span className="text-3"> … {prompt.length - HEAD - TAIL} more … </span>
              {prompt.slice(-TAIL).map((text, at) => (
                <Token key={at} text={text} kind="given" />
              ))}
            </>
          )}
          {completion.map(({ text, trained }, at) => (
            <Token key={at} text={text} kind={trained ? 'learned' : 'given'} />
          ))}
          {cut ? <span className="warn small"> … cut</span> : null}
        </div>
      ))}
      <p className="small text-2">
        Grey is given, <span className="token-learned">coloured</span> is {verb}. A completion ends with{' '}
        {preview.ends.map((end, at) => (
          <span key={end}>
            {at === 0 ? '' : at === preview.ends.length - 1 ? ' or ' : ', '}
            <code>{end}</code>
          </span>
        ))}
        . Text layout, under the settings, chooses otherwise.
      </p>
    </>
  )
}

/** A line break is shown as one, and goes on in the next line. */
function Token({ text, kind }: { readonly text: string; readonly kind: 'given' | 'learned' }): ReactNode {
  return <span className={`token token-${kind}`}>{text.replaceAll('\n', '↵\n')}</span>
}
