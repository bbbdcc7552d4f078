import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab

describe.skipIf(chromiumPath === null)('the key of a browser’s tab', () => {
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(() => lab.end())

  test('is got for the code of the address, which leaves the address at once; a reload keeps it, and events come', async () => {
    const asked: string[] = []
    lab.page.on('request', (request) => asked.push(request.url()))
    lab.page.on('websocket', (socket) => asked.push(socket.url()))
    await lab.page.goto(`${lab.host.address()}#/settings`)
    await lab.page.getByText('Follow the system').waitFor()
    const bare = `http://127.0.0.1:${lab.host.port}/#/settings`
    expect(lab.page.url()).toBe(bare)
    await lab.page.reload()
    await lab.page.getByText('Follow the system').waitFor()
    await lab.client.call('settings.set', { theme: 'dark' }) // told by an event alone
    await lab.page.locator('[data-theme="dark"]').first().waitFor({ state: 'attached' })
    expect(asked.filter((url) => url.includes('code='))).toHaveLength(1)
    expect(asked.some((url) => url.includes(lab.host.token))).toBe(false)
    expect(lab.complaints).toEqual([])
  })

  test('names its pages at the first start, where there is room', async () => {
    const shows = async (width: number): Promise<boolean> => {
      const page = await (await lab.browser.newContext({ viewport: { width, height: 800 } })).newPage()
      await page.goto(`${lab.host.address()}#/runs`)
      await page.getByRole('navigation', { name: 'Pages' }).waitFor()
      return page.getByText('Playground', { exact: true }).isVisible()
    }
    expect([await shows(1280), await shows(1024)]).toEqual([true, false])
  })

  test('is not got twice from one address, and a tab without it says what to do', async () => {
    const address = lab.host.address()
    const first = await (await lab.browser.newContext()).newPage()
    await first.goto(address)
    await first.getByRole('heading', { name: 'Pairlab' }).waitFor()
    const second = await (await lab.browser.newContext()).newPage()
    await second.goto(address)
    await second.getByText('pairlab serve --open').first().waitFor()
    expect(await second.evaluate('sessionStorage.length')).toBe(0)
  })
})
