import type { QueryClient } from '@tanstack/react-query'
import type { AppEvent, CallName, EventPayload, Output } from '../../shared/contract.ts'
import { isLive } from '../../shared/domain.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { patchGenerationEnd, patchGenerationState, patchGenerationText } from './generations.ts'

/** Patches or invalidates what is cached. Metrics go to the charts themselves, through useAppEvent. */
export function applyEvent(cache: QueryClient, event: AppEvent): void {
  const refetch = (...names: readonly CallName[]): void => {
    for (const name of names) void cache.invalidateQueries({ queryKey: [name] })
  }
  switch (event.name) {
    case 'run.state':
      return patchRun(cache, event.payload as EventPayload<'run.state'>)
    case 'run.metrics': {
      // Curves that nobody looks at now do not grow: they are fetched when somebody does.
      const { runId } = event.payload as EventPayload<'run.metrics'>
      void cache.invalidateQueries({ queryKey: ['runs.metrics', { runId }], type: 'inactive', refetchType: 'none' })
      return
    }
    case 'run.samples': {
      const { runId } = event.payload as EventPayload<'run.samples'>
      void cache.invalidateQueries({ queryKey: ['runs.samples', { runId }] })
      return
    }
    case 'runs.changed':
      return refetch(
        'rankings.rankers',
        'runs.list',
        'runs.get',
        'models.get',
        'comparisons.get',
        'comparisons.samples',
        'playground.sources',
      )
    case 'models.changed':
      return refetch('models.list', 'models.get', 'runs.check', 'playground.sources')
    case 'playground.state':
      return patchGenerationState(cache, event.payload as EventPayload<'playground.state'>)
    case 'playground.text':
      return patchGenerationText(cache, event.payload as EventPayload<'playground.text'>)
    case 'playground.done':
      return patchGenerationEnd(cache, event.payload as EventPayload<'playground.done'>)
    case 'datasets.changed':
      return refetch(
        'datasets.list',
        'datasets.get',
        'datasets.rows',
        'texts.rows',
        'rankings.queries',
        'datasets.report',
        'datasets.leftOut',
        'datasets.warnings',
        'datasets.agreement',
        'samples.list',
      )
    case 'labels.changed':
      refetch('matches.get', 'matches.list', 'matches.bouts') // people may judge one
      return refetchLabels(cache, (event.payload as EventPayload<'labels.changed'>).datasetId)
    case 'import.progress': {
      const job = event.payload as EventPayload<'import.progress'>
      cache.setQueryData(['datasets.importJob', { jobId: job.jobId }], job)
      cache.setQueryData<Output<'datasets.importJobs'>>(
        ['datasets.importJobs', {}],
        (jobs) => jobs && [job, ...jobs.filter((other) => other.jobId !== job.jobId)],
      )
      if (job.state !== 'running') refetch('datasets.list', 'samples.list')
      return
    }
    case 'collect.progress': {
      const job = event.payload as EventPayload<'collect.progress'>
      cache.setQueryData(['segments.collectJob', { jobId: job.jobId }], job)
      cache.setQueryData<Output<'segments.collectJobs'>>(
        ['segments.collectJobs', {}],
        (jobs) => jobs && [job, ...jobs.filter((other) => other.jobId !== job.jobId)],
      )
      return
    }
    case 'papers.progress': {
      const job = event.payload as EventPayload<'papers.progress'>
      cache.setQueryData<Output<'papers.list'>>(['papers.list', {}], (entries) =>
        entries?.map((entry) => (entry.id === job.id ? { ...entry, job } : entry)),
      )
      if (job.state !== 'running' && job.state !== 'waiting') refetch('papers.list', 'papers.report')
      return
    }
    case 'match.progress': {
      const { matchId, state } = event.payload as EventPayload<'match.progress'>
      void cache.invalidateQueries({ queryKey: ['matches.get', { matchId }] })
      if (state !== 'running') refetch('matches.list')
      if (state === 'finished') void cache.invalidateQueries({ queryKey: ['matches.bouts'] })
      return
    }
    case 'model.progress': {
      const job = event.payload as EventPayload<'model.progress'>
      cache.setQueryData(['models.addJob', { jobId: job.jobId }], job)
      cache.setQueryData<Output<'models.addJobs'>>(
        ['models.addJobs', {}],
        (jobs) => jobs && [job, ...jobs.filter((other) => other.jobId !== job.jobId)],
      )
      return
    }
    case 'engines.changed':
      return refetch('engines.list', 'runs.check')
    case 'engine.progress': {
      const job = event.payload as EventPayload<'engine.progress'>
      cache.setQueryData<Output<'engines.list'>>(['engines.list', {}], (overview) => overview && { ...overview, job })
      return
    }
    case 'settings.changed':
      return refetch('settings.get')
    case 'ui.goto':
      window.location.hash = (event.payload as EventPayload<'ui.goto'>).path
      return
  }
}

function patchRun(cache: QueryClient, run: RunSummary): void {
  let known = false
  cache.setQueriesData<Output<'runs.list'>>({ queryKey: ['runs.list'] }, (runs) => {
    if (runs === undefined || !runs.some((other) => other.runId === run.runId)) return runs
    known = true
    return runs.map((other) => (other.runId === run.runId ? run : other))
  })
  if (!known) void cache.invalidateQueries({ queryKey: ['runs.list'] })
  if (!isLive(run.state)) void cache.invalidateQueries({ queryKey: ['playground.sources'] })
  // What a summary does not carry (checkpoints, facts, what can be exported) changes when the state does; a page that
  // said “finished” before it had them would offer nothing for the finished run.
  const detail = cache.getQueryData<Output<'runs.get'>>(['runs.get', { runId: run.runId }])
  if (detail === undefined) return
  if (detail.state === run.state) cache.setQueryData(['runs.get', { runId: run.runId }], { ...detail, ...run })
  else void cache.invalidateQueries({ queryKey: ['runs.get', { runId: run.runId }] })
}

const LABEL_SETTLE_MS = 1000
const labelTimers = new Map<string, ReturnType<typeof setTimeout>>()

/** Answers come once a second and the summaries read every label: they are fetched once the hand rests. */
function refetchLabels(cache: QueryClient, datasetId: string): void {
  clearTimeout(labelTimers.get(datasetId))
  const timer = setTimeout(() => {
    labelTimers.delete(datasetId)
    for (const name of [
      'labels.habits',
      'labels.history',
      'labels.progress',
      'datasets.get',
      'datasets.rows',
      'datasets.agreement',
      'segments.row',
    ] satisfies CallName[]) {
      void cache.invalidateQueries({
        queryKey: [name],
        predicate: (query) => (query.queryKey[1] as { datasetId?: string }).datasetId === datasetId,
      })
    }
    void cache.invalidateQueries({ queryKey: ['datasets.list'] })
  }, LABEL_SETTLE_MS)
  labelTimers.set(datasetId, timer)
}
