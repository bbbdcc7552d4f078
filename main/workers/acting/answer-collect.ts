import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { sizeOfCollection, type CollectSettings } from '../../../shared/collecting.ts'
import type { AnswerOf, QuestionOf } from '../../base/processes/worker-questions.ts'
import { pairCollected } from '../../core/formats/segment-items.ts'
import type { CollectedSegments } from '../../core/worlds/collect.ts'
import { findWorld } from '../../core/worlds/registry.ts'
import { collect, type Tell } from './collect.ts'

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

const MEASURED_MS = 200

/**
 * Acts, judges and writes a little, again and again until there is something to measure, and says what all of it would take.
 */
export async function answerCollectPace({
  settings,
  checkpoint,
}: QuestionOf<'collect-pace'>): Promise<AnswerOf<'collect-pace'>> {
  const { perEpisode } = sizeOf(settings)
  const few = { ...settings, segments: Math.min(settings.segments, Math.max(2, 2 * perEpisode)) }
  const size = sizeOf(few)
  const times = { acting: 0, judging: 0, writing: 0 }
  let rounds = 0
  await collect({ ...few, label: 'none' }, checkpoint, () => undefined) // loads what is loaded once
  for (const startMs = performance.now(); performance.now() - startMs < MEASURED_MS || rounds === 0; rounds += 1) {
    let at = performance.now()
    const lap = (phase: keyof typeof times): void => {
      times[phase] += performance.now() - at
      at = performance.now()
    }
    let judging = false
    const set = await collect(few, checkpoint, (phase) => {
      if (phase === 'judging' && !judging) {
        judging = true
        lap('acting')
      }
    })
    lap(judging ? 'judging' : 'acting')
    for (const line of linesOf(set, few, size.pairs)) Buffer.byteLength(line)
    lap('writing')
  }
  return {
    stepMs: times.acting / rounds / size.acted,
    valueStepMs: size.valueSteps === 0 ? 0 : times.judging / rounds / size.valueSteps,
    writtenStepMs: times.writing / rounds / (2 * size.pairs * few.steps),
  }
}

function sizeOf(settings: CollectSettings): ReturnType<typeof sizeOfCollection> {
  const { info, advantage } = findWorld(settings.world)
  return sizeOfCollection(settings, { episodeSteps: info.episodeSteps, advantageKnown: advantage !== undefined })
}

function* linesOf(set: CollectedSegments, { label }: CollectSettings, pairs: number): Generator<string> {
  for (const part of pairCollected(set, pairs, label === 'none' ? null : label))
    if ('item' in part) yield `${JSON.stringify(part.item)}\n`
}
