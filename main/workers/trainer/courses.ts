import { AppError } from '../../../shared/errors.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import { findAlgorithm } from '../../core/learn/registry.ts'
import type { Checkpoint } from '../../core/models/checkpoint-files.ts'
import { openContrastCourse } from './contrast/contrast-course.ts'
import type { Course } from './course.ts'
import { openRankingCourse } from './rankings/ranking-course.ts'
import type { RunContext } from './run-context.ts'
import { openSegmentCourse } from './segments/segment-course.ts'
import { openTextCourse } from './text/text-course.ts'

type Opener = (context: RunContext, from: Checkpoint | null) => Promise<Course>

/** How each kind of data is trained on. */
const OPENERS: Partial<Record<DataKind, Opener>> = {
  'response-pairs': openTextCourse,
  rankings: openRankingCourse,
  'segment-pairs': openSegmentCourse,
  'contrast-groups': openContrastCourse,
}

/**
 * Loads what the specification names and brings it to where the checkpoint left it.
 * @param from null to begin at the first step
 * @throws AppError, StopRequest
 */
export function openCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const { data, name } = findAlgorithm(context.spec.method)
  const open = OPENERS[data]
  if (open === undefined)
    throw new AppError({
      code: 'spec-invalid',
      message: `${name} learns from ${data}, which cannot be trained on.`,
      hint: 'Choose another method.',
    })
  return open(context, from)
}
