import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import type { EngineName } from '../../../shared/domain.ts'
import type { AlgorithmPage } from '../../core/learn/define.ts'
import { algorithms } from '../../core/learn/registry.ts'
import { tf } from '../../core/learn/tf.ts'
import { caseNotCovered, type Check, type CheckedOutput, type GoldenResult } from './check.ts'
import { checkPage } from './check-page.ts'
import { PREFERENCE_CHECKS } from './checks-preferences.ts'
import { RANKING_CHECKS } from './checks-ranking.ts'
import { LOSS_CHECKS } from './checks-losses.ts'
import { checkEncoderFolder } from './check-encoders.ts'
import { checkModelFolder } from './check-models.ts'
import { checkTokenizerFolder } from './check-tokenizer.ts'
import { SAMPLING_CHECKS } from './checks-sampling.ts'
import { checkOptim } from './checks-optim.ts'
import { checkAgreement, checkBandit, checkBootstrap } from './checks-statistics.ts'
import { compareValues } from './compare.ts'
import { parseGoldenFile, type GoldenCase, type Value } from './vectors.ts'

/** What checks vectors of single functions, by file name without `.json`. */
const FUNCTION_CHECKS: Readonly<Record<string, Check>> = {
  ...LOSS_CHECKS,
  ...PREFERENCE_CHECKS,
  ...RANKING_CHECKS,
  ...SAMPLING_CHECKS,
  optim: checkOptim,
  agreement: checkAgreement,
  bootstrap: checkBootstrap,
  copg_bandit: checkBandit,
}

export interface GoldenReport {
  readonly folder: string
  readonly engine: string
  readonly results: readonly GoldenResult[]
  readonly passed: number
  readonly failed: number
  readonly notCovered: number
  /** 0 only if nothing failed. */
  readonly exitStatus: 0 | 1
}

export interface GoldenOptions {
  /** Must have been registered by the caller, except `cpu`. Absent: whatever is active. */
  readonly engine?: EngineName
  /** Only these vector files, without `.json`, and no folders. Absent: everything. */
  readonly files?: readonly string[]
  readonly onResult?: (result: GoldenResult) => void
}

/**
 * Runs every vector file of a folder against the code's own losses, gradients and statistics. A case is about the page of
 * a method that names its file, or about single functions, which the file's name tells; files and folders without a
 * counterpart are reported, never failed.
 * @throws AppError `file-not-found`, `engine-unavailable`
 */
export async function runGolden(folder: string, options: GoldenOptions = {}): Promise<GoldenReport> {
  const entries = (await listFolder(folder)).filter(
    (entry) =>
      options.files === undefined || (entry.isFile() && options.files.includes(entry.name.replace(/\.json$/, ''))),
  )
  await activate(options.engine)
  const results: GoldenResult[] = []
  const note = (result: GoldenResult): void => {
    results.push(result)
    options.onResult?.(result)
  }
  for (const entry of entries) {
    if (entry.name === 'tokenizer' && entry.isDirectory())
      for (const result of await checkTokenizerFolder(path.join(folder, entry.name))) note(result)
    else if (entry.name === 'models-encoders' && entry.isDirectory())
      for (const result of await checkEncoderFolder(path.join(folder, entry.name))) note(result)
    else if (/^models(-extra)?$/.test(entry.name) && entry.isDirectory())
      for (const result of await checkModelFolder(path.join(folder, entry.name))) note(result)
    else if (entry.isDirectory())
      note({
        file: `${entry.name}/`,
        caseName: '',
        status: 'not-covered',
        detail: 'no check for this folder',
        compared: 0,
      })
    else for (const result of await runFile(folder, entry.name)) note(result)
  }
  return summarise(folder, results)
}

function summarise(folder: string, results: readonly GoldenResult[]): GoldenReport {
  const count = (status: GoldenResult['status']): number => results.filter((result) => result.status === status).length
  const failed = count('failed')
  return {
    folder,
    engine: tf.getBackend(),
    results,
    passed: count('passed'),
    failed,
    notCovered: count('not-covered'),
    exitStatus: failed === 0 ? 0 : 1,
  }
}

async function listFolder(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.json'))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    throw new AppError({
      code: 'file-not-found',
      message: `The folder ${folder} cannot be read.`,
      hint: 'Give the folder that holds the vector files, for example test/golden.',
      cause: error,
    })
  }
}

async function activate(engine: EngineName | undefined): Promise<void> {
  await tf.ready()
  if (engine === undefined || tf.getBackend() === engine) return
  const done = await tf.setBackend(engine)
  if (!done)
    throw new AppError({
      code: 'engine-unavailable',
      message: `The engine ${engine} did not start.`,
      hint: 'Try --engine cpu.',
    })
}

async function runFile(folder: string, file: string): Promise<GoldenResult[]> {
  const name = file.replace(/\.json$/, '')
  const pages = algorithms.filter(({ vectors }) => vectors.includes(name))
  const functions = FUNCTION_CHECKS[name]
  if (pages.length === 0 && functions === undefined)
    return [
      {
        file,
        caseName: '',
        status: 'not-covered',
        detail: 'no method names it, and no function is called so',
        compared: 0,
      },
    ]
  let cases: readonly GoldenCase[]
  try {
    cases = parseGoldenFile(await readFile(path.join(folder, file), 'utf8'))
  } catch (error) {
    return [{ file, caseName: '', status: 'failed', detail: messageOf(error), compared: 0 }]
  }
  if (cases.length === 0) return [{ file, caseName: '', status: 'not-covered', detail: 'it has no case', compared: 0 }]
  const results: GoldenResult[] = []
  for (const vector of cases) results.push(...(await runCase(file, vector, checkOf(vector, pages, functions))))
  return results
}

/** By what the case gives: settings of a page, or inputs of single functions. */
function checkOf({ params }: GoldenCase, pages: readonly AlgorithmPage[], functions: Check | undefined): Check {
  if (params['config'] !== undefined && pages.length > 0) return (vector) => checkPage(pages, vector)
  return (
    functions ??
    (() => caseNotCovered('it gives no params.config, by which a method is checked, and no function is called so'))
  )
}

type KnownOutput = CheckedOutput & { readonly actual: Value }

/** One line for the case, and one for each of its outputs that has no counterpart. */
async function runCase(file: string, vector: GoldenCase, check: Check): Promise<GoldenResult[]> {
  const missing = (detail: string): GoldenResult => ({
    file,
    caseName: vector.name,
    status: 'not-covered',
    detail,
    compared: 0,
  })
  tf.engine().startScope()
  try {
    const { outputs: pending, notCovered } = await check(vector)
    const outputs = await Promise.all(pending.map(async (one) => ({ ...one, actual: await one.actual })))
    const known = new Set(outputs.map((output) => output.path))
    const unknown = leafPaths(vector.outputs).filter(
      (leaf) =>
        ![...known].some((one) => leaf === one || leaf.startsWith(`${one}.`)) &&
        !notCovered.some((text) => text.startsWith(`${leaf}:`)),
    )
    const results = [...notCovered, ...unknown.map((leaf) => `${leaf}: no counterpart`)].map(missing)
    if (outputs.length > 0) results.unshift(judge(file, vector, outputs))
    return results
  } catch (error) {
    return [{ file, caseName: vector.name, status: 'failed', detail: messageOf(error), compared: 0 }]
  } finally {
    tf.engine().endScope()
  }
}

function judge(file: string, vector: GoldenCase, outputs: readonly KnownOutput[]): GoldenResult {
  let compared = 0
  const problems: string[] = []
  for (const { path: at, actual, tolerance } of outputs) {
    const expected = lookUp(vector.outputs, at)
    if (expected === undefined) continue
    const result = compareValues(at, actual, expected, tolerance)
    compared += result.compared
    if (result.worst !== null)
      problems.push(result.wrong === 1 ? result.worst : `${result.worst} (${result.wrong} wrong)`)
  }
  if (compared === 0 && problems.length === 0)
    return {
      file,
      caseName: vector.name,
      status: 'not-covered',
      detail: 'none of its outputs has a counterpart',
      compared,
    }
  return {
    file,
    caseName: vector.name,
    status: problems.length === 0 ? 'passed' : 'failed',
    detail: problems.join('; '),
    compared,
  }
}

/** `grads.policy_logps` → outputs.grads.policy_logps */
function lookUp(outputs: Readonly<Record<string, Value>>, at: string): Value | undefined {
  let value: Value | undefined = outputs
  for (const key of at.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = (value as Readonly<Record<string, Value>>)[key]
  }
  return value
}

function leafPaths(record: Readonly<Record<string, Value>>, prefix = ''): string[] {
  return Object.entries(record).flatMap(([key, value]) => {
    const at = `${prefix}${key}`
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at]
    return leafPaths(value as Readonly<Record<string, Value>>, `${at}.`)
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A line for each failing case, a line for each thing not covered, and the count at the end. */
export function formatGoldenReport(report: GoldenReport): string {
  const name = (result: GoldenResult): string =>
    result.caseName === '' ? result.file : `${result.file} ${result.caseName}`
  const lines = report.results.flatMap((result) => {
    if (result.status === 'failed') return [`FAILED ${name(result)}: ${result.detail}`]
    if (result.status === 'not-covered') return [`not covered: ${name(result)}: ${result.detail}`]
    return []
  })
  return [...lines, `${report.passed} passed, ${report.failed} failed, ${report.notCovered} not covered`].join('\n')
}
