import { existsSync } from 'node:fs'
import path from 'node:path'
import type { DataSpec } from '../../../shared/run-spec.ts'
import { shareRuns } from '../data/describe-shared.ts'
import { pruneViews } from '../data/view-prune.ts'
import { buildView, countView, type View, type ViewContent } from '../data/view.ts'
import type { ViewUse } from '../data/view-rows.ts'
import { requireDataset } from '../store/datasets.ts'
import { labelClock } from '../store/runs.ts'
import type { HandlerDeps } from '../handlers/deps.ts'

export interface TrainingData {
  /** What there is to train on. Writes nothing: the page asks at every change. @throws as `countView` */
  count(data: DataSpec, use: ViewUse): Promise<ViewContent>
  /**
   * The data as a file, there while `work` runs. Afterwards it stays for runs alone; of the others the last one is kept
   * until the next, so that a dry run and a start share it. @throws as `buildView`
   */
  withView<T>(
    data: DataSpec,
    work: (view: View) => T | Promise<T>,
    options: { readonly use: ViewUse; readonly forRuns: boolean },
  ): Promise<T>
}

interface Asked {
  readonly data: DataSpec
  readonly use: ViewUse
}

export function createTrainingData({
  db,
  dataFolder,
  log,
}: Pick<HandlerDeps, 'db' | 'dataFolder' | 'log'>): TrainingData {
  const held = new Map<string, number>()
  const ofRuns = new Set<string>()
  let counted: { readonly key: string; readonly content: ViewContent } | null = null
  let written: { readonly key: string; readonly view: View } | null = null

  /** The same as long as records, labels and choices are. */
  function keyOf({ data, use }: Asked): string {
    const { fingerprint, mapping, split } = requireDataset(db, data.datasetId)
    return JSON.stringify([data, use, fingerprint, mapping.columns, split, labelClock(db, data.datasetId)])
  }

  const count = shareRuns(async (asked) => {
    const { data, use } = JSON.parse(asked) as Asked // written below
    const key = keyOf({ data, use })
    if (counted?.key !== key) counted = { key, content: await countView(db, dataFolder, data, use) }
    return counted.content
  })
  const write = shareRuns(async (asked) => {
    const { data, use } = JSON.parse(asked) as Asked // written below
    const key = keyOf({ data, use })
    if (written?.key !== key || !existsSync(written.view.viewPath))
      written = { key, view: await buildView(db, dataFolder, data, use) }
    return written.view
  })

  return {
    count: (data, use) => count(JSON.stringify({ data, use } satisfies Asked)),
    async withView(data, work, { use, forRuns }) {
      const view = await write(JSON.stringify({ data, use } satisfies Asked))
      const name = path.basename(view.viewPath)
      held.set(name, (held.get(name) ?? 0) + 1)
      if (forRuns) ofRuns.add(name)
      try {
        return await work(view)
      } finally {
        held.set(name, (held.get(name) ?? 1) - 1)
        const isFree = (file: string): boolean =>
          (held.get(file) ?? 0) === 0 &&
          !ofRuns.has(file) &&
          (written === null || path.basename(written.view.viewPath) !== file)
        pruneViews(dataFolder, isFree).catch((error: unknown) =>
          log.warn('views that no run uses could not be removed', error),
        )
      }
    },
  }
}
