import type { Client } from '../../shared/rpc.ts'

/** All that a person would look for in a data folder, as the calls of the app answer. */
export async function describeFolder(client: Client) {
  const annotators = await client.call('annotators.list', {})
  const datasets = await client.call('datasets.list', {})
  const labels = []
  for (const { datasetId } of datasets) {
    for (const { annotatorId } of annotators)
      labels.push(await client.call('labels.history', { datasetId, annotatorId, limit: 100 }))
  }
  const runs = []
  for (const { runId } of (await client.call('runs.list', {})).toSorted((a, b) => (a.runId < b.runId ? -1 : 1))) {
    const {
      state,
      step,
      totalSteps,
      name,
      note,
      method,
      mainMetric,
      mainValue,
      groupHash,
      resumable,
      checkpoints,
      ...rest
    } = await client.call('runs.get', { runId })
    const kept = checkpoints.map(({ path: _place, ...one }) => one) // the place depends on where the folder lies
    const metrics = (await client.call('runs.metrics', { runId, maxPoints: 100_000 })).series.toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )
    runs.push({
      runId,
      state,
      step,
      totalSteps,
      name,
      note,
      method,
      mainMetric,
      mainValue,
      groupHash,
      resumable,
      dataset: rest.datasetId,
      checkpoints: kept,
      metrics,
    })
  }
  return { annotators, datasets, labels, runs }
}
