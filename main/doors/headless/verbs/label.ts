import { createInterface, emitKeypressEvents } from 'node:readline'
import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import { toText, type Outcome } from '../../../../shared/data-kinds.ts'
import type { Annotator, LabelItem } from '../../../../shared/contract/labels.ts'
import type { AnnotatorId, DatasetId } from '../../../../shared/domain.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { KIND_WORDS } from '../../../../shared/kind-words.ts'
import { formatDuration } from '../../../../shared/units.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { pickDataset } from './data.ts'

/** Keys of the terminal, the same as the page's; 1 and 2 mean left and right as shown. */
const HELP = '1 left, 2 right, 3 tie, b both bad, s skip, u undo, r redo, q quit'

export async function ensureAnnotator(client: Client, name: string): Promise<Annotator> {
  const known = (await client.call('annotators.list', {})).find((one) => one.name === name && !one.imported)
  return known ?? client.call('annotators.add', { name })
}

const HELP_ALONE = '1 good, 2 bad, s skip, u undo, r redo, q quit'

function helpFor({ b }: LabelItem): string {
  return b === null ? HELP_ALONE : HELP
}

function outcomeOf(key: string, item: LabelItem): Outcome | null {
  if (item.b === null) return ({ '1': 'a', '2': 'b', s: 'skip' } as const)[key] ?? null
  const left = item.shownOrder === 'ab' ? 'a' : 'b'
  const right = left === 'a' ? 'b' : 'a'
  const outcomes: Readonly<Record<string, Outcome>> = {
    '1': left,
    '2': right,
    '3': 'tie',
    '=': 'tie',
    b: 'both-bad',
    s: 'skip',
  }
  return outcomes[key] ?? null
}

function showItem(item: LabelItem): string {
  if (item.b === null)
    return [`\n── answer ${item.index + 1} ──`, toText(item.prompt), '', toText(item.a), '', HELP_ALONE].join('\n')
  const [left, right] = item.shownOrder === 'ab' ? [item.a, item.b] : [item.b, item.a]
  return [
    `\n── pair ${item.index + 1} ──`,
    toText(item.prompt),
    '',
    '[1] ' + toText(left),
    '',
    '[2] ' + toText(right),
    '',
    HELP,
  ].join('\n')
}

/** The next key pressed on a terminal, the next line's first letter elsewhere. */
function keySource(): { next(): Promise<string | null>; close(): void } {
  if (process.stdin.isTTY) {
    emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    return {
      next: () =>
        new Promise((resolve) =>
          process.stdin.once('keypress', (text: string | undefined, key: { ctrl?: boolean; name?: string }) =>
            resolve(key.ctrl === true && key.name === 'c' ? 'q' : (text ?? '')),
          ),
        ),
      close: () => {
        process.stdin.setRawMode(false)
        process.stdin.pause()
      },
    }
  }
  const lines = createInterface({ input: process.stdin })
  const iterator = lines[Symbol.asyncIterator]()
  return {
    next: async () => {
      const { value, done } = await iterator.next()
      return done === true ? null : String(value).trim().charAt(0)
    },
    close: () => lines.close(),
  }
}

async function labelLoop(
  client: Client,
  datasetId: DatasetId,
  annotatorId: AnnotatorId,
  say: (text: string) => void,
): Promise<number> {
  const keys = keySource()
  let answered = 0
  let at = 0
  let shownPair = ''
  try {
    for (;;) {
      const { items } = await client.call('labels.queue', {
        datasetId,
        annotatorId,
        filter: { only: 'unlabeled' },
        fromIndex: at,
        limit: 1,
      })
      const item = items[0]
      if (item === undefined) {
        say('Everything is labeled.')
        return answered
      }
      if (item.pairId !== shownPair) say(showItem(item))
      shownPair = item.pairId
      const startMs = Date.now()
      const key = await keys.next()
      if (key === null || key === 'q') return answered
      if (key === 'u' || key === 'r') {
        const changed = await client.call(key === 'u' ? 'labels.undo' : 'labels.redo', {
          datasetId,
          annotatorId,
          clientKey: randomUUID(),
        })
        at = changed.index ?? at
        say(key === 'u' ? 'undone' : 'redone')
        shownPair = ''
        continue
      }
      const outcome = outcomeOf(key, item)
      if (outcome === null) {
        say(helpFor(item))
        continue
      }
      const { progress } = await client.call('labels.add', {
        datasetId,
        annotatorId,
        pairId: item.pairId,
        outcome,
        strength: item.b !== null && (outcome === 'a' || outcome === 'b') ? 'clearly' : null,
        shownOrder: item.shownOrder,
        durationMs: Date.now() - startMs,
        clientKey: randomUUID(),
      })
      answered += 1
      at = item.index
      if (progress.journalTrouble !== null)
        say(`saved in the database; the journal beside the records is behind: ${progress.journalTrouble}`)
      say(
        `saved; ${progress.answered} of ${progress.total}${progress.remainingMs === null ? '' : `, about ${formatDuration(progress.remainingMs)} left`}`,
      )
    }
  } finally {
    keys.close()
  }
}

/** The option of `label`, which takes it on behalf of `label add` as well. @throws AppError `usage-invalid` */
function annotatorName(command: Command): string {
  const { annotator } = command.optsWithGlobals<{ annotator?: string }>()
  if (annotator === undefined)
    throw new AppError({ code: 'usage-invalid', message: 'Who is labeling?', hint: 'Give a name: --annotator ann' })
  return annotator
}

export function labelCommand(): Command {
  return new Command('label')
    .description('Label pairs in the terminal: blind, sides shuffled, each answer on disk before the next pair.')
    .argument('<data set>', 'id, beginning of the id, or name')
    .option('--annotator <name>', 'who is labeling (required)')
    .addHelpText(
      'after',
      `\nKeys: ${HELP}\nOf single answers: ${HELP_ALONE}\n\nExamples:\n  pairlab label pandalm --annotator ann\n  pairlab label add pandalm 17 a --annotator ann --strength clearly`,
    )
    .action(async (wanted: string, _options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      const annotator = annotatorName(command)
      await withClient(dataDir, async ({ client }) => {
        const { datasetId, kind } = await pickDataset(client, wanted)
        const { annotatorId } = await ensureAnnotator(client, annotator)
        const answered = await labelLoop(client, datasetId, annotatorId, (text) => out.say(text))
        const progress = await client.call('labels.progress', { datasetId, annotatorId })
        out.result(
          progress,
          `${answered} answers given, ${progress.answered} of ${progress.total} ${KIND_WORDS[kind].items} labeled by ${annotator}.`,
        )
      })
    })
    .addCommand(addCommand())
}

function addCommand(): Command {
  return new Command('add')
    .description('Record one answer, for scripts: the preferred option in file order.')
    .argument('<data set>')
    .argument('<pair id>')
    .argument('<outcome>', 'a, b, tie, both-bad or skip')
    .option('--annotator <name>', 'who decided (required)')
    .option('--strength <strength>', 'slightly, clearly or far')
    .option('--comment <text>', 'a remark kept with the answer', '')
    .action(
      async (
        wanted: string,
        pairId: string,
        outcome: string,
        options: { strength?: string; comment: string },
        command: Command,
      ) => {
        const { out, dataDir } = globals(command)
        const annotator = annotatorName(command)
        await withClient(dataDir, async ({ client }) => {
          const { datasetId } = await pickDataset(client, wanted)
          if (!['a', 'b', 'tie', 'both-bad', 'skip'].includes(outcome))
            throw new AppError({
              code: 'usage-invalid',
              message: `"${outcome}" is no outcome.`,
              hint: 'Give a, b, tie, both-bad or skip.',
            })
          const { annotatorId } = await ensureAnnotator(client, annotator)
          const item = await client.call('labels.item', { datasetId, annotatorId, pairId })
          const added = await client.call('labels.add', {
            datasetId,
            annotatorId,
            pairId,
            outcome: outcome as Outcome,
            strength: (options.strength ?? null) as 'clearly' | null,
            comment: options.comment,
            shownOrder: item.shownOrder,
            durationMs: 0,
            clientKey: randomUUID(),
          }) // both checked by the contract
          out.result(added, `Saved as event ${added.labelId}.`)
        })
      },
    )
}
