import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { CollectSettings } from '../../../shared/collecting.ts'
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { pairCollected } from '../../core/formats/segment-items.ts'
import type { CollectedSegments } from '../../core/worlds/collect.ts'
import { act, collect, judge, sizeOf, type Tell } from './collect.ts'

/** Pairs as items of a data set, a line of JSON each, at `out`. */
export async function answerCollect(
  { settings, checkpoint, out }: QuestionOf<'collect'>,
  tell: Tell,
): Promise<AnswerOf<'collect'>> {
  const set = await collect(settings, checkpoint, tell)
  const { pairs, acted, valueSteps } = sizeOf(settings)
  const file = createWriteStream(out, { flags: 'wx' })
  const written = finished(file)
  written.catch(() => undefined) // awaited below, or told by `once`
  let count = 0
  for (const line of linesOf(set, settings, pairs)) {
    if (!file.write(line)) await once(file, 'drain')
    count += 1
    tell('writing', acted + valueSteps + 2 * count * settings.steps)
  }
  file.end()
  await written
  return { pairs: count }
}

const MEASURED_MS = 600
/** As many as act side by side in a collection, so that a step costs what it costs there. */
const EPISODES = 32
/** Acting out is the longest part where it is needed. */
const JUDGED_SEGMENTS = 8

/** Acts, judges and writes a little, again and again, and says what a step of each takes: the median, since the first ones are slow. */
export async function answerCollectPace({
  settings,
  checkpoint,
}: QuestionOf<'collect-pace'>): Promise<AnswerOf<'collect-pace'>> {
  const { perEpisode } = sizeOf(settings)
  const few = { ...settings, segments: Math.max(2, Math.min(settings.segments, EPISODES * perEpisode)) }
  const size = sizeOf(few)
  const times: Record<'step' | 'valueStep' | 'writtenStep', number[]> = { step: [], valueStep: [], writtenStep: [] }
  let lastMs: number | null = null
  for (const startMs = performance.now(); performance.now() - startMs < MEASURED_MS || times.step.length < 3;) {
    const set = await act(few, checkpoint, () => undefined)
    const actedMs = performance.now()
    const judged = { ...set, count: Math.min(set.count, JUDGED_SEGMENTS) }
    let valueSteps = 0
    await judge(few, judged, (steps) => (valueSteps = steps))
    const judgedMs = performance.now()
    let written = 0
    for (const line of linesOf(set, few, Math.min(size.pairs, JUDGED_SEGMENTS))) if (line !== '') written += 1
    times.writtenStep.push((performance.now() - judgedMs) / (2 * written * few.steps))
    times.valueStep.push(valueSteps === 0 ? 0 : (judgedMs - actedMs) / valueSteps)
    times.step.push((actedMs - (lastMs ?? startMs)) / size.acted)
    lastMs = performance.now()
  }
  return { stepMs: median(times.step), valueStepMs: median(times.valueStep), writtenStepMs: median(times.writtenStep) }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

function* linesOf(set: CollectedSegments, { label }: CollectSettings, pairs: number): Generator<string> {
  for (const part of pairCollected(set, pairs, label === 'none' ? null : label))
    if ('item' in part) yield `${JSON.stringify(part.item)}\n`
}
