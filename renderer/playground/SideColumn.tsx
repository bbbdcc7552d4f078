import { useEffect, useRef, type ReactNode } from 'react'
import { Copy, X } from 'lucide-react'
import type { Generation } from '../../shared/contract/playground.ts'
import { fromWire } from '../../shared/errors.ts'
import { formatCount, formatNumber } from '../../shared/units.ts'
import { Button } from '../parts/Button.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { copyText } from '../run/copy-text.ts'
import { endWords, type SideName, type Turn } from './playground-state.ts'
import { SourcePicker } from './SourcePicker.tsx'
import { TokenText } from './TokenText.tsx'
import { useGeneration, type Playground } from './use-playground.ts'

interface SideColumnProps {
  readonly side: SideName
  readonly playground: Playground
}

/** What one model made of the prompt: who writes, what was written, and how it went. */
export function SideColumn({ side, playground }: SideColumnProps): ReactNode {
  const { choices, sources, turns, refusals, sides } = playground
  const title = side === 'left' ? 'Left' : 'Right'
  const last = turns.at(-1)
  const generation = useGeneration(last?.[side] ?? null).data
  const refusal = refusals[side]
  return (
    <section className="pg-side" aria-label={`${title} side`}>
      <div className="pg-side-head">
        <SourcePicker
          label={title}
          value={playground.sourceOf(side)}
          sources={sources}
          onChange={(value) => playground.change({ [side]: value })}
        />
        <span className="grow" />
        {sides.length < 2 ? null : (
          <Button
            small
            look="quiet"
            icon={X}
            aria-label={`Close the ${side} side`}
            title="Close this side"
            onClick={() => playground.change({ open: side === 'left' ? 'right' : 'left' })}
          />
        )}
      </div>
      <Scroll follow={generation?.completions[0]?.tokens.length ?? 0} label={`${title}: what was written`}>
        {turns.length === 0 ? (
          <p className="pg-hint">
            {choices.mode === 'chat' ? 'The answer stands here.' : 'The completion stands here.'}
          </p>
        ) : null}
        {turns.map((turn) => (
          <TurnView key={turn.id} turn={turn} side={side} playground={playground} isLast={turn === last} />
        ))}
        {refusal === undefined ? null : <ErrorNotice error={refusal} onRetry={() => void playground.retry(side)} />}
      </Scroll>
      <SideFacts generation={generation} side={side} />
    </section>
  )
}

/** Stays at the end while the text grows, unless the person scrolled away from it. */
function Scroll({
  follow,
  label,
  children,
}: {
  readonly follow: number
  readonly label: string
  readonly children: ReactNode
}): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight })
  }, [follow])
  return (
    <div
      ref={box}
      className="pg-scroll"
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - clientHeight - scrollTop < 24
      }}
    >
      {children}
    </div>
  )
}

function TurnView({
  turn,
  side,
  playground,
  isLast,
}: {
  readonly turn: Turn
  readonly side: SideName
  readonly playground: Playground
  readonly isLast: boolean
}): ReactNode {
  const { data: generation, error } = useGeneration(turn[side])
  const { mode, shaded } = playground.choices
  const completion = generation?.completions[0]
  const written =
    completion === undefined || completion.tokens.length === 0 ? null : shaded ? (
      <TokenText tokens={completion.tokens} label={`the ${side} side`} />
    ) : (
      <span className="pg-written">{completion.text}</span>
    )
  const going = generation !== undefined && generation.state !== 'done' && generation.state !== 'failed'
  const caret = going ? <span className="pg-caret" aria-hidden="true" /> : null
  const trouble = error ?? (generation?.error == null ? null : fromWire(generation.error))
  return (
    <article className="pg-turn" aria-busy={going}>
      {mode === 'chat' ? (
        <>
          <p className="pg-role">user</p>
          <p className="pg-prompt">{turn.text}</p>
          {turn[side] === null ? null : <p className="pg-role">assistant</p>}
          <div className="pg-answer">
            {written}
            {caret}
          </div>
        </>
      ) : (
        <div className="pg-answer">
          <span className="pg-prompt">{turn.text}</span>
          {written}
          {caret}
        </div>
      )}
      {trouble === null ? null : isLast ? (
        <ErrorNotice error={trouble} onRetry={() => void playground.retry(side)} />
      ) : (
        <ErrorNotice error={trouble} />
      )}
    </article>
  )
}

const LAYOUTS = { template: 'chat template', tags: 'turns as tags', plain: 'plain text' } as const

function stateWords(generation: Generation): string {
  switch (generation.state) {
    case 'waiting':
      return 'waiting for its turn'
    case 'loading':
      return `loading ${generation.title}`
    case 'writing':
      return 'writing'
    case 'failed':
      return 'failed'
    case 'done':
      return endWords(generation.completions[0] ?? { reason: null, stopString: null })
  }
}

function SideFacts({
  generation,
  side,
}: {
  readonly generation: Generation | undefined
  readonly side: SideName
}): ReactNode {
  const completion = generation?.completions[0]
  if (generation === undefined || completion === undefined)
    return <div className="pg-facts text-3">Nothing written yet</div>
  const { tokens, text, seed } = completion
  const sum = tokens.reduce((total, token) => total + token.logProb, 0)
  return (
    <div className="pg-facts">
      <output>{stateWords(generation)}</output>
      <span>
        <b className="mono">{formatCount(tokens.length)}</b> tokens
      </span>
      {generation.tokensPerSec === null ? null : (
        <span>
          <b className="mono">{formatNumber(generation.tokensPerSec)}</b> tokens/s
        </span>
      )}
      {tokens.length === 0 ? null : (
        <span title={`Σ log π over the completion: ${formatNumber(sum, 4)}`}>
          log-prob a token <b className="mono">{formatNumber(sum / tokens.length)}</b>
        </span>
      )}
      <span>
        seed <b className="mono">{seed}</b>
      </span>
      <span title={`${generation.device}; ${generation.engineWhy}`}>
        engine <b>{generation.engine}</b>
      </span>
      {generation.layout === null ? null : (
        <span className="text-3">
          {LAYOUTS[generation.layout]}, {formatCount(generation.promptTokens)} tokens
        </span>
      )}
      <span className="grow" />
      <Button
        small
        look="quiet"
        icon={Copy}
        aria-label={`Copy the text of the ${side} side`}
        title="Copy the text"
        disabled={text === ''}
        onClick={() => copyText(text, 'The text is copied.')}
      />
    </div>
  )
}
