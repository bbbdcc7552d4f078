import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from 'playwright'
import { build, type InlineConfig } from 'vite'
import config from '../../electron.config.ts'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import type { DatasetId } from '../../shared/domain.ts'
import type { Client } from '../../shared/rpc.ts'
import { findChromium, launchChromium } from '../support/chromium.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'

/** The app as a person meets it: served on loopback, opened in Chromium. */
export interface Lab {
  readonly client: Client
  readonly dataFolder: string
  readonly browser: Browser
  readonly page: Page
  readonly host: Host
  /** What the page complained about: console errors and uncaught exceptions. */
  readonly complaints: readonly string[]
  /** Goes to a place such as `/label`, with nothing left of the page before. */
  open(path: string): Promise<void>
  end(): Promise<void>
}

/** Null where there is no Chromium; a test then says that it was skipped. */
export const chromiumPath = findChromium()

/**
 * The page in a folder of its own, so that test files do not disturb each other: what `npm test` has just built
 * (PAIRLAB_PAGE), else built here with the app's own configuration.
 */
async function buildPage(): Promise<string> {
  const outDir = mkdtempSync(path.join(tmpdir(), 'pairlab-page-'))
  const built = process.env['PAIRLAB_PAGE']
  if (built !== undefined) {
    cpSync(built, outDir, { recursive: true })
    return outDir
  }
  const { renderer } = config as { renderer: InlineConfig } // electron-vite's type also allows functions and promises
  // The test runner says NODE_ENV=test, which would build React's slow development form.
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  await build({
    ...renderer,
    mode: 'production',
    configFile: false,
    logLevel: 'error',
    build: { ...renderer.build, outDir, emptyOutDir: true },
  })
  process.env['NODE_ENV'] = before
  return outDir
}

/** @param prepare as of `makeApp` */
export async function openLab(prepare?: (dataFolder: string) => void): Promise<Lab> {
  if (chromiumPath === null) throw new Error('no Chromium: guard the test with chromiumPath')
  const pageFolder = await buildPage()
  const made: TestApp = await makeApp(prepare)
  // Every form that rests would train a few steps of it, beside what the test is about.
  await made.client.call('settings.set', { view: { 'train.estimateAtRest': false } })
  const host = await serve({ app: made.app, rendererFolder: pageFolder })
  const browser = await launchChromium(chromiumPath)
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return {
    client: made.client,
    dataFolder: made.dataFolder,
    browser,
    page,
    host,
    complaints,
    async open(where) {
      // Another code in every address, so this is a new document, in the same process: one of its own for each would take longer.
      await page.goto(`${host.address()}#${where}`)
    },
    async end() {
      await browser.close()
      await host.close()
      await made.end()
      removeFolder(pageFolder)
    },
  }
}

/** Imports the bundled PandaLM sample: 993 pairs with the labels of three annotators. */
export async function importSample(client: Client): Promise<DatasetId> {
  const opened = await client.call('samples.open', { sampleId: 'pandalm' })
  if (opened.datasetId !== null) return opened.datasetId
  return waitForImport(client)
}

export async function importFile(client: Client, file: string, name: string): Promise<DatasetId> {
  await client.call('datasets.import', { path: file, name })
  return waitForImport(client)
}

async function waitForImport(client: Client): Promise<DatasetId> {
  let found: DatasetId | null = null
  await waitUntil(
    'the import',
    async () => {
      const [job] = await client.call('datasets.importJobs', {})
      if (job?.state === 'failed') throw new Error(job.error?.message)
      found = job?.state === 'finished' ? job.datasetId : null
      return found !== null
    },
    300_000,
  )
  if (found === null) throw new Error('the import made no data set')
  return found
}

const EVERY_RULE = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** What another theme can break: nothing of a page but its colours follows the theme. */
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block']

/** Each rule of accessibility that the page breaks, with the first place that does. @param within a selector: looks there alone */
export async function accessibilityProblems(page: Page, within?: string): Promise<readonly string[]> {
  return problems(page, axe(page, within).withTags(EVERY_RULE))
}

/** The same in light, and in dark what colours can break. Leaves the page dark. */
export async function accessibilityInBothThemes(page: Page, within?: string): Promise<readonly string[]> {
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await accessibilityProblems(page, within)
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await problems(page, axe(page, within).withRules(RULES_OF_COLOUR))
  return [...light, ...dark.map((problem) => `dark: ${problem}`)]
}

function axe(page: Page, within: string | undefined): AxeBuilder {
  const whole = new AxeBuilder({ page }).setLegacyMode(true)
  return within === undefined ? whole : whole.include(within)
}

/** Until the page has what it shows: its heading, and nothing that it still waits for, from one frame to the next. */
export async function loaded(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor({ state: 'attached' })
  let since = 0
  const waits = page.locator('.state[aria-busy="true"], .collection-wait[aria-busy="true"]')
  await waitUntil('the page to be loaded', async () => {
    since = (await waits.count()) === 0 ? since + 1 : 0
    return since === 2
  })
}

async function problems(page: Page, rules: AxeBuilder): Promise<string[]> {
  await loaded(page)
  const { violations } = await rules.analyze()
  return violations.map(
    (violation) => `${violation.id}: ${violation.nodes[0]?.html} ${violation.nodes[0]?.failureSummary}`,
  )
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** The run's page, once it says that it has finished. */
export async function finished(lab: Lab, runId: string): Promise<void> {
  await lab.open(`/runs/${runId}`)
  await lab.page.locator('.run-head').getByText('finished').waitFor({ timeout: 110_000 })
}

/** The points of a chart as the page has them, every digit. */
export async function savedData(lab: Lab, chart: string): Promise<string> {
  const saved = lab.page.waitForEvent('download')
  await lab.page.getByRole('button', { name: `Export ${chart}` }).click()
  await lab.page.getByRole('menuitem', { name: 'Save the data as CSV' }).click()
  return readFileSync(await (await saved).path(), 'utf8')
}
