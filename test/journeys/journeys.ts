// npm run journeys [-- part of a kind's name [pointer | keyboard]]: from the empty app to a compared pair of runs, for each kind of data, with nothing but what a person
// sees on the page; prints what each part took. Ends with status 1 at a dead end.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { serve } from '../../main/doors/headless/serve.ts'
import { findChromium, launchChromium } from '../support/chromium.ts'
import { keyboard, pointer } from './hand.ts'
import { KINDS, walk, type Kind } from './road.ts'

const page = path.resolve(import.meta.dirname, '../../out/renderer')
const HANDS = { pointer, keyboard } as const

/** In an app of its own. → what each part took, in seconds */
async function walkOnce(
  chromium: string,
  kind: Kind,
  hand: keyof typeof HANDS,
): Promise<(readonly [string, number])[]> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab journey '))
  const app = await createApp({ dataFolder })
  const host = await serve({ app, rendererFolder: page })
  const browser = await launchChromium(chromium)
  const parts: (readonly [string, number])[] = []
  try {
    const tab = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
    await tab.goto(host.address())
    await walk(HANDS[hand](tab), kind, (name, ms) => parts.push([name, ms / 1000]))
  } finally {
    await browser.close()
    await host.close()
    await app.close()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  return parts
}

const chromium = findChromium()
if (chromium === null) throw new Error('There is no Chromium: install it, and run this again.')
const [wanted = '', ...hands] = process.argv.slice(2)
console.log('| data | hand | part | seconds |\n|---|---|---|---|')
for (const kind of KINDS.filter(({ name }) => name.includes(wanted))) {
  for (const hand of ['pointer', 'keyboard'] as const) {
    if (hands.length > 0 && !hands.includes(hand)) continue
    const parts = await walkOnce(chromium, kind, hand).catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error))
      process.exitCode = 1
      return []
    })
    const whole = parts.reduce((sum, [, seconds]) => sum + seconds, 0)
    for (const [name, seconds] of [...parts, ['the whole', whole] as const])
      console.log(`| ${kind.name} | ${hand} | ${name} | ${seconds.toFixed(1)} |`)
  }
}
