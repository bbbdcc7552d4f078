import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createApp } from '../../main/app/app.ts'
import { readHostAddress } from '../../main/doors/headless/http-client.ts'
import { takeOverSharedApp } from '../../main/doors/headless/shared-app.ts'
import { ENDED_STATES } from '../../shared/domain.ts'
import { inProcess } from '../../shared/rpc.ts'
import { startCommand, type RunningCommand } from '../support/commands.ts'
import { waitUntil } from '../support/make-app.ts'
import { createRandom } from '../support/seeded.ts'
import { importTiny } from '../support/tiny-app.ts'

// PAIRLAB_KILLS=100 kills that many commands, in rounds; PAIRLAB_SEED changes what is drawn.
const KILLS = Number(process.env['PAIRLAB_KILLS'] ?? 2)
const SEED = Number(process.env['PAIRLAB_SEED'] ?? 1)
const ROWS = KILLS > 2 ? 30_000 : 6000
const SEEDS = '1-2'
/** Of the two strikes at a round, each. Commands end a second or two after they begin: a late strike meets nobody. */
const STRIKE_WITHIN_MS = KILLS > 2 ? 2500 : 800
const TRAIN = [
  '--model',
  'new:nano',
  '--tokenizer',
  'byte',
  '--steps',
  '4',
  '--batch-size',
  '2',
  '--micro-batch-size',
  '2',
  '--max-length',
  '24',
  '--eval-every',
  '0',
  '--eval-pairs',
  '2',
  '--checkpoint-every',
  '2',
  '--sample-prompts',
  '0',
]

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A data folder that holds the data set "Tiny", and a file of its own for each import. */
async function makeFolder(): Promise<{ readonly dataFolder: string; file(name: string): string }> {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab côte '))
  folders.push(dataFolder)
  const app = await createApp({ dataFolder })
  await importTiny(inProcess(app.handlers), dataFolder)
  await app.close()
  return {
    dataFolder,
    file(name) {
      const file = path.join(dataFolder, `${name}.jsonl`)
      writeFileSync(
        file,
        Array.from(
          { length: ROWS },
          (_, at) => `${JSON.stringify({ prompt: `${name} ${at}`, chosen: `yes ${at}`, rejected: `no ${at}` })}\n`,
        ).join(''),
      )
      return file
    },
  }
}

interface Wish {
  readonly words: readonly string[]
  /** Of the data set or of the runs. */
  readonly name: string
}

function shuffle<T>(things: readonly T[], random: () => number): T[] {
  return things
    .map((thing) => ({ thing, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ thing }) => thing)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Starts them within a second, one after the other. */
async function startAll(
  wishes: readonly Wish[],
  dataFolder: string,
  random: () => number,
): Promise<Map<RunningCommand, Wish>> {
  const commands = new Map<RunningCommand, Wish>()
  for (const wish of wishes) {
    commands.set(startCommand(wish.words, dataFolder), wish)
    await pause(random() * 450)
  }
  return commands
}

/** Kills whoever has the folder, or any other command, the way the system does when memory runs out. */
function killOne(
  commands: ReadonlyMap<RunningCommand, Wish>,
  dataFolder: string,
  random: () => number,
): RunningCommand | null {
  const alive = [...commands.keys()].filter(({ child }) => child.exitCode === null && child.signalCode === null)
  if (alive.length < 2) return null // one is left, so that somebody wants something
  const host = alive.find(({ child }) => child.pid === readHostAddress(dataFolder)?.pid)
  const victim = random() < 0.7 && host !== undefined ? host : alive[Math.floor(random() * alive.length)]!
  victim.child.kill('SIGKILL')
  return victim
}

test(
  'three commands started within a second outlive each other, whoever is killed',
  async () => {
    const random = createRandom(SEED)
    const { dataFolder, file } = await makeFolder()
    const wanted: Wish[] = []
    const spared = new Set<Wish>()
    let kills = 0
    for (let rounds = 0; kills < KILLS; rounds += 1) {
      const round = String(rounds).padStart(4, '0') // no name begins with another
      const wishes = shuffle<Wish>(
        [
          { words: ['import', file(`first${round}`)], name: `first${round}` },
          {
            words: ['train', 'sft', '--data', 'Tiny', '--name', `run${round}`, '--seeds', SEEDS, ...TRAIN],
            name: `run${round}`,
          },
          random() < 0.5
            ? { words: ['import', file(`second${round}`)], name: `second${round}` }
            : {
                words: ['train', 'dpo', '--data', 'Tiny', '--name', `other${round}`, '--seeds', SEEDS, ...TRAIN],
                name: `other${round}`,
              },
        ],
        random,
      )
      wanted.push(...wishes)
      const commands = await startAll(wishes, dataFolder, random)
      const killed = new Set<RunningCommand>()
      for (let strike = 0; strike < 2; strike += 1) {
        await pause(200 + random() * STRIKE_WITHIN_MS)
        const victim = killOne(commands, dataFolder, random)
        if (victim !== null) killed.add(victim)
      }
      kills += killed.size
      for (const [command, wish] of commands) {
        const { status, signal, stdout, stderr } = await command.ended
        if (killed.has(command) && signal === 'SIGKILL') continue
        spared.add(wish)
        expect([wish.name, status, stderr + stdout]).toEqual([
          wish.name,
          0,
          expect.not.stringContaining('does not answer'),
        ])
      }
    }
    const app = await createApp({ dataFolder })
    const client = inProcess(app.handlers)
    await waitUntil(
      'every run to end',
      async () => (await client.call('runs.list', { limit: 5000 })).every((run) => ENDED_STATES.includes(run.state)),
      90_000,
    )
    const runs = await client.call('runs.list', { limit: 5000 })
    const datasets = await client.call('datasets.list', {})
    await app.close()
    expect(
      runs.filter((run) => run.state !== 'finished').map((run) => [run.runId, run.state, run.error?.message]),
    ).toEqual([])
    for (const wish of wanted) {
      const seeds = runs
        .filter((run) => run.name === wish.name)
        .map((run) => run.seed)
        .toSorted((a, b) => a - b)
      const sets = datasets.filter((dataset) => dataset.name.startsWith(wish.name))
      const made = wish.words[0] === 'import' ? sets.length : seeds.length
      const whole = wish.words[0] === 'import' ? 1 : 2
      if (spared.has(wish)) expect([wish.name, made]).toEqual([wish.name, whole])
      else expect(made).toBeLessThanOrEqual(whole)
      expect(new Set(seeds).size).toBe(seeds.length)
      expect(sets.map((dataset) => dataset.itemCount)).toEqual(sets.map(() => ROWS))
    }
    if (KILLS > 2)
      console.log(
        `${kills} commands killed of ${wanted.length}; ${spared.size} went on; ${datasets.length - 1} imports whole, ${runs.length} runs finished`,
      )
  },
  120_000 + KILLS * 15_000,
)

test('a window opened beside a command takes the folder over, and the command goes on through it', async () => {
  const { dataFolder, file } = await makeFolder()
  const training = startCommand(
    ['train', 'sft', '--data', 'Tiny', '--name', 'beside', '--seeds', '1', ...TRAIN],
    dataFolder,
  )
  await waitUntil('the command to begin', () => training.said().includes('Started'))
  const window = await takeOverSharedApp({ dataFolder, rendererFolder: null })
  const importing = startCommand(['import', file('through'), '--json'], dataFolder)
  expect(await importing.ended).toMatchObject({ status: 0 })
  expect((await inProcess(window.app.handlers).call('datasets.list', {})).map((dataset) => dataset.name)).toContain(
    'through',
  )
  expect(readHostAddress(dataFolder)?.pid).toBe(process.pid)
  await window.end('now')
  const { status, stdout } = await training.ended
  expect([status, stdout]).toEqual([0, expect.stringMatching(/beside-1: finished/)])
  expect(() => readFileSync(path.join(dataFolder, 'serve.json'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
