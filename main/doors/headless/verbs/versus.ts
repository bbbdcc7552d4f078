import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import type { Input } from '../../../../shared/contract.ts'
import type { Judge, Match, MatchBout, Player } from '../../../../shared/contract/matches.ts'
import { engineName } from '../../../../shared/domain.ts'
import { AppError, ERROR_EXIT_STATUS, fromWire } from '../../../../shared/errors.ts'
import { parseModelReference } from '../../../../shared/model-reference.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { nullIfUnknown, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable, type Output } from '../output.ts'
import { pickDataset } from './data.ts'
import { pickModel } from './models.ts'
import { pickRun } from './runs.ts'

const POLL_MS = 200

interface VersusFlags {
  readonly judge?: string
  readonly data?: string
  readonly side: string
  readonly prompts: string
  readonly samples: string
  readonly temperature: string
  readonly topP: string
  readonly maxTokens: string
  readonly seed: string
  readonly engine: string
  readonly list?: boolean
  readonly bouts?: string
}

/** `dpo-1` is a run at the checkpoint that its validation side chose. */
async function readPlayer(client: Client, wanted: string): Promise<Player> {
  if (wanted === 'data:chosen' || wanted === 'data:rejected')
    return { kind: 'data', answers: wanted === 'data:chosen' ? 'chosen' : 'rejected' }
  if (wanted.startsWith('data:'))
    throw new AppError({
      code: 'usage-invalid',
      message: `The data has no answers “${wanted.slice('data:'.length)}”.`,
      hint: 'A player is data:chosen or data:rejected.',
    })
  return readWriter(client, wanted)
}

async function readWriter(client: Client, wanted: string): Promise<Exclude<Player, { kind: 'data' }>> {
  const named = parseModelReference(wanted)
  if (named?.kind === 'model') return { kind: 'model', modelId: (await pickModel(client, named.model)).modelId }
  if (named?.kind === 'run') {
    const checkpoint = /@(best|last)$/.test(wanted) ? named.checkpoint : 'best'
    return { kind: 'run', runId: (await pickRun(client, named.run)).runId, checkpoint }
  }
  if (/[/\\.]/.test(wanted) && existsSync(wanted)) return { kind: 'folder', path: path.resolve(wanted) }
  const [, run = wanted, checkpoint = 'best'] = /^(.*)@(best|last)$/s.exec(wanted) ?? []
  const [, before, strange] = /^([^@]+)@([^@]+)$/s.exec(run) ?? []
  if (strange !== undefined && (await client.call('runs.list', {})).some(({ runId }) => runId === before))
    throw new AppError({
      code: 'usage-invalid',
      message: `${before} cannot write from “${strange}”.`,
      hint: `A run writes from ${before}@best, which is meant where nothing is said, or from ${before}@last.`,
    })
  return { kind: 'run', runId: (await pickRun(client, run)).runId, checkpoint: checkpoint as 'best' }
}

const JUDGES =
  'a reward model’s run (reward-1), ask:<run, model:… or folder> for a model that is asked, people, length:200, keyword:a,b or regex:…'

async function readJudge(client: Client, wanted: string | undefined): Promise<Judge> {
  if (wanted === undefined)
    throw new AppError({ code: 'usage-invalid', message: 'There is no judge.', hint: `--judge takes ${JUDGES}.` })
  const [, kind = '', value = ''] = /^(ask|length|keyword|regex):(.*)$/s.exec(wanted) ?? []
  if (wanted === 'people') return { kind: 'people' }
  if (kind === 'ask') return { kind: 'model', source: await readWriter(client, value) }
  if (kind === 'length') return { kind, target: numberOf('judge length:', value) }
  if (kind === 'keyword') return { kind, words: value.split(',').map((word) => word.trim()) }
  if (kind === 'regex') return { kind, pattern: value }
  return { kind: 'reward-model', runId: (await pickRun(client, wanted.replace(/^run:/, ''))).runId }
}

function numberOf(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new AppError({
    code: 'usage-invalid',
    message: `--${flag} takes a number, not “${text}”.`,
    hint: `For example: --${flag}${flag.endsWith(':') ? '200' : ' 1'}`,
  })
}

/** Told as it goes; begun again where it went with the process that played it. */
async function follow(client: Client, request: Input<'matches.start'>, out: Output): Promise<Match> {
  const clientKey = randomUUID()
  const begin = async (): Promise<string> => (await client.call('matches.start', { ...request, clientKey })).matchId
  let matchId = await begin()
  let told = ''
  let interrupted = false
  const cancel = (): void => {
    interrupted = true
    void client.call('matches.cancel', { matchId }).catch(() => undefined) // then it has ended, or the app has
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cancel)
  try {
    for (;;) {
      const match = await nullIfUnknown(client.call('matches.get', { matchId }))
      if (match === null || (match.state === 'cancelled' && !interrupted)) {
        matchId = await begin()
        continue
      }
      if (match.note !== told && match.note !== '') out.note((told = match.note))
      if (match.state === 'failed' && match.error !== null) throw fromWire(match.error)
      if (match.state !== 'waiting' && match.state !== 'running') {
        if (interrupted) process.exitCode = ERROR_EXIT_STATUS.cancelled
        return match
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, cancel)
  }
}

function rateText({ rate, low, high }: { readonly rate: number; readonly low: number; readonly high: number }): string {
  return `${rate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

/** Rewards may lie close together: four digits. */
function formatPrecise(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** What a match came to, for a terminal. */
export function matchText({ matchId, result, state, note }: Match): string {
  if (result === null) return `${matchId} ${state}. ${note}`.trim()
  const { players, judge, score, promptsOf } = result
  const [one, other] = players
  const lines = [
    `${one.title} against ${other.title}, on ${promptsOf.used} of ${promptsOf.available} prompts of ${promptsOf.datasetName}, ${promptsOf.side} side, judged by ${judge.title}`,
  ]
  if (score === null) lines.push('Nobody has judged it yet.')
  else {
    lines.push(
      `win rate         ${rateText(score.winRate)}, 95 % interval over ${score.prompts} prompts: ${score.wins} won, ${score.ties} ${score.ties === 1 ? 'tie' : 'ties'}, ${score.losses} lost`,
    )
    if (score.lengthControlled !== null)
      lines.push(
        `at equal length  ${rateText(score.lengthControlled)}: ${Math.round(one.characters)} against ${Math.round(other.characters)} characters`,
      )
    if (one.score !== null && other.score !== null)
      lines.push(`mean score       ${formatPrecise(one.score)} against ${formatPrecise(other.score)}`)
    for (const { title, bestOf } of players) {
      const last = bestOf.at(-1)
      if (last !== undefined)
        lines.push(
          `best of ${String(last.n).padEnd(8)} ${formatPrecise(last.score)} by ${title}, at most ${last.kl.toFixed(2)} nats from it; of 1, 2 …: ${bestOf.map(({ score }) => formatPrecise(score)).join(' ')}`,
        )
    }
  }
  if (judge.agreement !== null)
    lines.push(
      `the judge        decides as people did in ${rateText(judge.agreement)} of ${judge.agreement.pairs} labeled pairs`,
    )
  if (judge.position !== null)
    lines.push(
      `                 took what stood first in ${judge.position.first.toFixed(3)} of its decisions; both orders agreed in ${judge.position.consistent.toFixed(3)} of the pairs`,
    )
  if (result.labelIn !== null) lines.push(`Label it, blind: pairlab label ${result.labelIn}`)
  return [...lines, ...result.warnings.map((text) => `Mind: ${text}`)].join('\n')
}

async function listMatches(client: Client, out: Output): Promise<void> {
  const all = await client.call('matches.list', {})
  out.result(
    all,
    all.length === 0
      ? 'No match was played yet.'
      : formatTable(
          [
            { title: 'id', text: (one) => one.matchId },
            { title: 'match', text: (one) => one.title },
            { title: 'state', text: (one) => one.state },
            {
              title: 'win rate',
              right: true,
              text: ({ result }) => (result?.score == null ? '–' : rateText(result.score.winRate)),
            },
          ],
          all,
        ),
  )
}

export function versusCommand(): Command {
  return new Command('versus')
    .description(
      'Play one policy, model or baseline against another: both answer the same held-out prompts, a judge says which answer is better. Win rate with ties, its interval over prompts, and what is left of it at equal length.',
    )
    .argument('[first]', 'dpo-1, run:dpo-1@last, model:<id or name>, a folder, data:chosen or data:rejected')
    .argument('[second]', 'the same')
    .option('--judge <judge>', JUDGES)
    .option('--data <name>', 'data set that the prompts are from (default: that of the first run)')
    .addOption(new Option('--side <side>').choices(['validation', 'test']).default('test'))
    .option('--prompts <n>', 'so many of them', '100')
    .option('--samples <n>', 'answers of each to a prompt', '1')
    .option('--temperature <t>', '0 is greedy', '1')
    .option('--top-p <p>', 'only the likeliest tokens that hold this probability', '1')
    .option('--max-tokens <n>', 'the longest an answer gets', '128')
    .option('--seed <n>', 'the same prompts, the same random numbers for both', '0')
    .addOption(new Option('--engine <name>').choices(['auto', ...engineName.options]).default('auto'))
    .option('--list', 'matches that were played')
    .option('--bouts <match>', 'the answers of a match, and who won')
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab versus dpo-1 sft-1 --judge reward-1\n  pairlab versus dpo-1 model:SmolLM --judge ask:model:SmolLM --temperature 0.7\n  pairlab versus copg-1 data:chosen --judge people    makes a data set to label blind',
    )
    .action(async (first: string | undefined, second: string | undefined, flags: VersusFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(
        dataDir,
        async ({ client }) => {
          if (flags.list === true) return listMatches(client, out)
          if (flags.bouts !== undefined) {
            const found = await client.call('matches.get', { matchId: flags.bouts })
            const { bouts } = await client.call('matches.bouts', { matchId: flags.bouts, limit: 500 })
            return out.result({ match: found, bouts }, [matchText(found), ...bouts.map(boutText)].join('\n\n'))
          }
          if (first === undefined || second === undefined)
            throw new AppError({
              code: 'usage-invalid',
              message: 'A match has two players.',
              hint: 'For example: pairlab versus dpo-1 sft-1 --judge reward-1',
            })
          const request: Input<'matches.start'> = {
            players: [await readPlayer(client, first), await readPlayer(client, second)],
            judge: await readJudge(client, flags.judge),
            datasetId: flags.data === undefined ? null : (await pickDataset(client, flags.data)).datasetId,
            side: flags.side as 'test',
            prompts: numberOf('prompts', flags.prompts),
            samples: numberOf('samples', flags.samples),
            settings: {
              temperature: numberOf('temperature', flags.temperature),
              topP: numberOf('top-p', flags.topP),
              maxTokens: numberOf('max-tokens', flags.maxTokens),
            },
            seed: numberOf('seed', flags.seed),
            engine: flags.engine as 'auto', // checked by the contract
          }
          const match = await follow(client, request, out)
          out.result(match, matchText(match))
        },
        'own',
      )
    })
}

function boutText({ prompt, answers: [one, other], outcome }: MatchBout): string {
  const word = outcome === null ? 'not judged' : outcome === 1 ? 'first' : outcome === 0 ? 'second' : 'tie'
  const scores =
    one.score === null || other.score === null ? '' : ` (${formatPrecise(one.score)}, ${formatPrecise(other.score)})`
  return `${prompt.trim()}\n  1: ${one.text.trim()}\n  2: ${other.text.trim()}\n  ${word}${scores}`
}
