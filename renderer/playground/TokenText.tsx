import { memo, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react'
import type { GeneratedToken } from '../../shared/contract/playground.ts'
import { formatNumber, formatPercent } from '../../shared/units.ts'

/** Tokens that are drawn together: while a text grows, only its last part is drawn again. */
const PART = 128
/** Less likely than this is drawn at full strength, in nats. */
const FAINTEST_NATS = 8

interface TokenTextProps {
  readonly tokens: readonly GeneratedToken[]
  readonly label: string
}

/** A completion shaded by how likely the model found each token; the one under the pointer, or chosen with the arrow keys, is told below. */
export function TokenText({ tokens, label }: TokenTextProps): ReactNode {
  const [chosen, setChosen] = useState<number | null>(null)
  const at = chosen === null || chosen >= tokens.length ? null : chosen

  function point(event: MouseEvent): void {
    const found = event.target instanceof HTMLElement ? event.target.dataset['at'] : undefined
    if (found !== undefined) setChosen(Number(found))
  }

  function move(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 10, ArrowLeft: -1, ArrowUp: -10 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    setChosen(Math.min(tokens.length - 1, Math.max(0, at === null ? 0 : at + step)))
  }

  const parts = Array.from({ length: Math.ceil(tokens.length / PART) }, (_none, part) => part * PART)
  return (
    <>
      <div
        className="pg-tokens"
        role="slider"
        aria-label={`Token of ${label}`}
        aria-valuemin={0}
        aria-valuemax={tokens.length}
        aria-valuenow={at === null ? 0 : at + 1}
        aria-valuetext={
          at === null
            ? 'none'
            : `${tokens[at]?.piece}, probability ${formatPercent(Math.exp(tokens[at]?.logProb ?? 0), 1)}`
        }
        tabIndex={0}
        onKeyDown={move}
        onMouseOver={point}
        onFocus={() => setChosen(at ?? 0)}
        onBlur={() => setChosen(null)}
        onMouseLeave={() => setChosen(null)}
      >
        {parts.map((from) => (
          <TokenPart
            key={from}
            from={from}
            tokens={tokens}
            count={Math.min(PART, tokens.length - from)}
            chosen={at !== null && at >= from && at < from + PART ? at : null}
          />
        ))}
      </div>
      <TokenReadout token={at === null ? undefined : tokens[at]} />
    </>
  )
}

interface TokenPartProps {
  readonly tokens: readonly GeneratedToken[]
  readonly from: number
  readonly count: number
  readonly chosen: number | null
}

const TokenPart = memo(
  function TokenPart({ tokens, from, count, chosen }: TokenPartProps): ReactNode {
    return tokens.slice(from, from + count).map((token, index) => {
      const at = from + index
      const shown = token.text !== '' ? token.text : /^<.+>$/.test(token.piece) ? token.piece : ''
      return (
        <span
          key={at}
          data-at={at}
          data-chosen={chosen === at ? true : undefined}
          className={token.text === '' ? 'pg-token pg-token-quiet' : 'pg-token'}
          style={
            {
              '--unlikely': `${Math.round((100 * Math.min(-token.logProb, FAINTEST_NATS)) / FAINTEST_NATS)}`,
            } as Record<string, string>
          }
        >
          {shown}
        </span>
      )
    })
  },
  // Tokens that were told do not change: as many from the same place are the same.
  (before, after) =>
    before.from === after.from &&
    before.count === after.count &&
    before.chosen === after.chosen &&
    before.tokens[before.from] === after.tokens[after.from],
)

function showPiece(piece: string): string {
  return JSON.stringify(piece).slice(1, -1).replaceAll(' ', '␣')
}

function TokenReadout({ token }: { readonly token: GeneratedToken | undefined }): ReactNode {
  if (token === undefined)
    return (
      <p className="pg-readout text-3">
        Darker: less likely to the model. Point at a token, or move with the arrow keys.
      </p>
    )
  return (
    <output className="pg-readout">
      <span>
        <b className="mono">{showPiece(token.piece)}</b> <span className="text-3">id</span>{' '}
        <span className="mono">{token.id}</span>
      </span>
      <span>
        <span className="text-3">log-prob</span> <span className="mono">{formatNumber(token.logProb)}</span>
      </span>
      <span>
        <span className="text-3">probability</span>{' '}
        <span className="mono">{formatPercent(Math.exp(token.logProb), 1)}</span>
      </span>
      <span title="Under temperature and cuts: the distribution it was drawn from">
        <span className="text-3">as drawn</span>{' '}
        <span className="mono">{formatPercent(Math.exp(token.drawnLogProb), 1)}</span>
      </span>
      {token.alternatives.length === 0 ? null : (
        <span className="pg-alternatives">
          <span className="text-3">likeliest</span>
          {token.alternatives.map((one) => (
            <span key={one.id} className={one.id === token.id ? 'mono bold' : 'mono'}>
              {showPiece(one.piece)} {formatPercent(Math.exp(one.logProb))}
            </span>
          ))}
        </span>
      )}
    </output>
  )
}
