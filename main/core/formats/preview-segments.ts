// The shape of a file of segments, without all of it where that would be long.
import type { SegmentPreview } from '../../../shared/contract/imports.ts'
import { segmentPair } from '../../../shared/segment-pair.ts'
import { AppError } from '../../../shared/errors.ts'
import { holdsArrays, listNpz } from './npz.ts'
import type { NewPart } from './parsed-rows.ts'
import { openSegmentLines, partOfLine } from './read-segments.ts'
import { readSegmentNpz, SCORES, type NpzOptions } from './read-segment-npz.ts'

/** Of a text file; a pair has some ten to a hundred thousand bytes. */
const MOST_BYTES = 24 * 1024 * 1024
const MOST_PROBLEMS = 20

/** @throws AppError as the readers do, `dataset-invalid` where no pair can be read */
export async function previewSegments(file: string, options: NpzOptions): Promise<SegmentPreview> {
  return (await holdsArrays(file)) ? previewNpz(file, options) : previewLines(file)
}

async function previewNpz(file: string, options: NpzOptions): Promise<SegmentPreview> {
  const names = await listNpz(file)
  const tally = createTally()
  for await (const part of readSegmentNpz(file, options)) tally.add(part)
  const layout = names.includes('obs_1') ? 'labeled' : names.includes('done') ? 'steps' : 'scored'
  const scores = layout === 'scored' ? names.filter((name) => isScore(name)) : []
  return {
    ...tally.finish(file),
    layout,
    isWhole: true,
    world: options.world,
    scores,
    scoreName: options.scoreName ?? SCORES.find((name) => scores.includes(name)) ?? null,
  }
}

/** Every array that is none of the parts of a segment: CPL names its scores rl_sum, rl_dir and so on. */
function isScore(name: string): boolean {
  return !/^(obs|observations?|actions?|rewards?|done|discount|state|timeout|terminal|qpos)(\.|$)/.test(name)
}

async function previewLines(file: string): Promise<SegmentPreview> {
  const source = await openSegmentLines(file)
  const tally = createTally()
  let isWhole = true
  for await (const rows of source.batches()) {
    for (const { line, values, problem } of rows) tally.add(problem === null ? partOfLine(line, values) : { problem })
    if (source.bytesRead() >= MOST_BYTES && source.bytesRead() < source.totalBytes) {
      isWhole = false
      break
    }
  }
  const found = tally.finish(file)
  return {
    ...found,
    layout: 'lines',
    pairs: isWhole ? found.pairs : Math.round((found.pairs * source.totalBytes) / source.bytesRead()),
    isWhole,
    scores: [],
    scoreName: null,
  }
}

type Tallied = Omit<SegmentPreview, 'layout' | 'isWhole' | 'scores' | 'scoreName'>

function createTally(): { add(part: NewPart): void; finish(file: string): Tallied } {
  const labels = { a: 0, b: 0, tie: 0, other: 0, none: 0 }
  const annotators = new Set<string>()
  const problems: SegmentPreview['problems'] = []
  const steps = { least: Infinity, most: 0 }
  const sizes = { observation: 0, action: 0 }
  let pairs = 0
  let world: string | null = null
  let givesSplit = false
  return {
    add(part) {
      if ('problem' in part && problems.length < MOST_PROBLEMS) problems.push(part.problem)
      if (!('item' in part)) return
      const { a, b, world: where } = part.item.data as ReturnType<typeof segmentPair.parse> // a reader made it
      const { labels: own = [], split } = part.item
      pairs += 1
      world ??= where
      givesSplit ||= split !== null
      sizes.observation = a.observations[0]!.length
      sizes.action = a.actions[0]!.length
      for (const { observations } of [a, b]) {
        steps.least = Math.min(steps.least, observations.length)
        steps.most = Math.max(steps.most, observations.length)
      }
      if (own.length === 0) labels.none += 1
      for (const { annotator, outcome } of own) {
        labels[outcome === 'a' || outcome === 'b' || outcome === 'tie' ? outcome : 'other'] += 1
        annotators.add(annotator)
      }
    },
    finish(file) {
      const [first] = problems
      if (pairs === 0)
        throw new AppError({
          code: 'dataset-invalid',
          message: `${file} holds no pair of segments that can be read.${first === undefined ? '' : ` Line ${first.line}: ${first.reason}`}`,
          hint:
            first?.hint ??
            'A line is an object with world, a and b, as Pairlab exports them; or give an npz file of CPL.',
        })
      return {
        kind: 'segment-pairs',
        pairs,
        steps,
        observationSize: sizes.observation,
        actionSize: sizes.action,
        world,
        labels,
        annotators: [...annotators].slice(0, 20),
        givesSplit,
        problems,
      }
    },
  }
}
