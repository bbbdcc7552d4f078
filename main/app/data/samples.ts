import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { dataKind } from '../../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'

const sampleFile = z.strictObject({
  sampleId: z.string().min(1),
  title: z.string().min(1),
  text: z.string(),
  licence: z.string(),
  attribution: z.string(),
  kind: dataKind.default('response-pairs'),
  /** Beside sample.json; "." where the folder itself is read. */
  file: z.string().min(1),
})

export interface Sample extends z.infer<typeof sampleFile> {
  /** Absolute path of the data. */
  readonly path: string
  /** What a data set made from it says it came from; by this it is found again. */
  readonly source: string
}

/** The data that come with the app: every folder of `resources/samples` with a sample.json, pairs of answers first. */
export function listSamples(resourcesFolder: string): Sample[] {
  const folder = path.join(resourcesFolder, 'samples')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const description = path.join(folder, name, 'sample.json')
      if (!existsSync(description)) return []
      const parsed = sampleFile.safeParse(JSON.parse(readFileSync(description, 'utf8')))
      if (!parsed.success)
        throw new AppError({
          code: 'dataset-invalid',
          message: `${description} cannot be read: ${describeIssues(parsed.error)}.`,
          hint: 'Install the app again; its own files were changed.',
        })
      return [
        { ...parsed.data, path: path.join(folder, name, parsed.data.file), source: `sample:${parsed.data.sampleId}` },
      ]
    })
    .toSorted((a, b) => Number(b.kind === 'response-pairs') - Number(a.kind === 'response-pairs'))
}

/** @throws AppError `not-found` */
export function requireSample(resourcesFolder: string, sampleId: string): Sample {
  const samples = listSamples(resourcesFolder)
  const sample = samples.find((candidate) => candidate.sampleId === sampleId)
  if (sample === undefined)
    throw new AppError({
      code: 'not-found',
      message: `There is no sample "${sampleId}".`,
      hint: `There are: ${samples.map((candidate) => candidate.sampleId).join(', ') || 'none'}.`,
    })
  return sample
}
