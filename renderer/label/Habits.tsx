import type { ReactNode } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { Section } from '../parts/Panel.tsx'
import { formatCount } from '../../shared/units.ts'

type Share = Output<'labels.habits'>['left']

/** Whether a habit, and not the text, may be choosing. */
export function Habits({
  datasetId,
  annotatorId,
  texts,
}: {
  readonly datasetId: DatasetId
  readonly annotatorId: AnnotatorId
  /** Texts are compared, of which one may be longer. */
  readonly texts: boolean
}): ReactNode {
  const habits = useCall('labels.habits', { datasetId, annotatorId }, { keepPrevious: true }).data
  if (habits === undefined) return null
  return (
    <Section
      title="Honesty meter"
      note={`${formatCount(habits.left.n)} decided ${habits.left.n === 1 ? 'answer' : 'answers'}`}
    >
      <Meter name="Picked left side" share={habits.left} />
      {texts ? <Meter name="Picked longer" share={habits.longer} /> : null}
      <p className="small text-2 habits-text">{describeHabits(habits, texts)}</p>
    </Section>
  )
}

/** The interval on a line from 0 to 100 %, with chance marked in the middle. */
function Meter({ name, share }: { readonly name: string; readonly share: Share }): ReactNode {
  const value = share.n === 0 ? null : share.wins / share.n
  const { low, high } = share
  return (
    <div className="meter" title={`${share.wins} of ${share.n}`}>
      <span className="text-2 nowrap">{name}</span>
      <span className="meter-line" aria-hidden="true">
        <u />
        {low === null || high === null ? null : (
          <i style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
        )}
        {value === null ? null : <b style={{ left: `${value * 100}%` }} />}
      </span>
      <span className="mono right nowrap">{value === null ? '–' : describeShare(value, low, high)}</span>
    </div>
  )
}

/** "52 ± 7 %"; with few answers the interval is lopsided, and its ends are given instead: "17 (3–56) %". */
function describeShare(value: number, low: number | null, high: number | null): string {
  const percent = (fraction: number): string => (fraction * 100).toFixed(0)
  if (low === null || high === null) return `${percent(value)} %`
  const even = Math.abs(high - value - (value - low)) < 0.02
  return even
    ? `${percent(value)} ± ${percent((high - low) / 2)} %`
    : `${percent(value)} (${percent(low)}–${percent(high)}) %`
}

function verdict(share: Share): 'more' | 'less' | 'cannot tell' {
  if (share.low === null || share.high === null) return 'cannot tell'
  if (share.low > 0.5) return 'more'
  return share.high < 0.5 ? 'less' : 'cannot tell'
}

const FEW = 20

export function describeHabits({ left, longer }: Output<'labels.habits'>, texts: boolean): string {
  if (left.n < FEW) return `Too few decided answers to see a habit; ${FEW - left.n} more will do.`
  const side = verdict(left)
  const length = verdict(longer)
  const sideText =
    side === 'cannot tell'
      ? 'No side habit can be seen.'
      : `You pick the ${side === 'more' ? 'left' : 'right'} side more often than chance; sides are shuffled, so this is a habit.`
  if (!texts) return sideText
  const lengthText =
    length === 'cannot tell'
      ? 'No habit of length can be seen.'
      : `You pick the ${length === 'more' ? 'longer' : 'shorter'} answer more often than chance; it may be the data.`
  return `${sideText} ${lengthText}`
}
