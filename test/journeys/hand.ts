// The ways a person can act on a page: with a pointer on what the accessibility tree names, and by keys alone. Neither
// knows the page's code: no selector, no address after the first, no call.
import type { Locator, Page } from 'playwright'

type Role = 'button' | 'checkbox' | 'combobox' | 'link' | 'radio' | 'textbox'

export interface Hand {
  readonly page: Page
  /** A button or link is pressed, a box ticked, a radio chosen. */
  use(role: Exclude<Role, 'combobox' | 'textbox'>, name: string | RegExp): Promise<void>
  write(name: string | RegExp, text: string): Promise<void>
  /** @param option as it begins */
  pick(name: string | RegExp, option: string): Promise<void>
  /** In the field that was written last. */
  enter(): Promise<void>
}

const find = (page: Page, role: Role, name: string | RegExp): Locator =>
  page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name }).first()

/** Acts on roles and names alone, as a screen reader offers them. */
export function pointer(page: Page): Hand {
  return {
    page,
    async use(role, name) {
      const target = find(page, role, name)
      // The box of a radio lies under its tile: a screen reader presses the box itself.
      if (role === 'radio') await target.dispatchEvent('click')
      else await target.click()
    },
    async write(name, text) {
      await find(page, 'textbox', name).fill(text)
    },
    async pick(name, option) {
      const field = find(page, 'combobox', name)
      await field.selectOption(await optionOf(field, option))
    },
    enter: () => page.keyboard.press('Enter'),
  }
}

async function optionOf(field: Locator, begins: string): Promise<{ readonly label: string }> {
  const options = await field.getByRole('option').allTextContents()
  const label = options.find((one) => one.startsWith(begins))
  if (label === undefined) throw new Error(`no option begins with “${begins}” among: ${options.join(', ')}`)
  return { label }
}

/** More stops than any page has. */
const MOST_STOPS = 300

/** Reaches everything by Tab, as a person does who cannot point: what has no stop cannot be used. */
export function keyboard(page: Page): Hand {
  const focused = (target: Locator): Promise<boolean> =>
    target.evaluate((element) => element === document.activeElement)
  /** The focus lies on another radio of the same group: its arrows lead there. */
  const beside = (target: Locator): Promise<boolean> =>
    target.evaluate(
      (element) =>
        element instanceof HTMLInputElement &&
        element.type === 'radio' &&
        document.activeElement instanceof HTMLInputElement &&
        document.activeElement.type === 'radio' &&
        document.activeElement.name === element.name,
    )

  async function reach(target: Locator, name: string | RegExp): Promise<void> {
    await target.waitFor({ state: 'attached' })
    for (let stop = 0; stop < MOST_STOPS; stop += 1) {
      if (await focused(target)) return
      await page.keyboard.press((await beside(target)) ? 'ArrowRight' : 'Tab')
    }
    throw new Error(`${String(name)} cannot be reached by keys`)
  }

  return {
    page,
    async use(role, name) {
      const target = find(page, role, name)
      await target.waitFor({ state: 'attached' })
      if (role !== 'checkbox') await enabled(target)
      await reach(target, name)
      if (role === 'radio') return // its arrow chose it; a group's first stop is chosen already
      await page.keyboard.press(role === 'checkbox' ? 'Space' : 'Enter')
    },
    async write(name, text) {
      await reach(find(page, 'textbox', name), name)
      await page.keyboard.press('Control+a')
      await page.keyboard.type(text)
    },
    async pick(name, option) {
      const field = find(page, 'combobox', name)
      await reach(field, name)
      await page.keyboard.type(option)
      const chosen = await field.evaluate((element) => (element as HTMLSelectElement).selectedOptions[0]?.label ?? '')
      if (!chosen.startsWith(option)) throw new Error(`“${option}” cannot be chosen by keys: ${chosen} is`)
    },
    enter: () => page.keyboard.press('Enter'),
  }
}

async function enabled(target: Locator): Promise<void> {
  while (await target.isDisabled()) await target.page().waitForTimeout(50)
}
