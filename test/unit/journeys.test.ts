import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const page = readFileSync(path.join(root, 'resources/docs/journeys.md'), 'utf8')
const journeys = page.split(/^## /m).slice(1)

test('the three journeys have at most ten stops each, and every stop begins with a file', () => {
  expect(journeys).toHaveLength(3)
  for (const journey of journeys) {
    const stops = journey.match(/^\d+\. .*/gm) ?? []
    expect(stops.length).toBeGreaterThan(3)
    expect(stops.length).toBeLessThanOrEqual(10)
    expect(stops.filter((stop) => !/^\d+\. `[\w./<>-]+\.\w+`/.test(stop))).toEqual([])
  }
})

test('every file that the journeys name is there', () => {
  const named = [...page.matchAll(/`([\w-]+(?:\/[\w.-]+)+)`/g)].map(([, file]) => file!)
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})
