import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'

const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab versus '))
const options = { dataFolder }
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

/** Pairs of turns in four scripts, one of them written from the right. */
beforeAll(async () => {
  const said = [
    ['Как дела?', 'Хорошо, спасибо!', 'нет'],
    ['你好吗？', '我很好，谢谢。', '不'],
    ['كيف حالك؟', 'بخير شكرا', 'لا'],
    ['👍?', '👍👍🏽 да', '👎'],
  ]
  const turn = (role: string, content = ''): unknown => [{ role, content }]
  const lines = [1, 2, 3, 4].flatMap((n) =>
    said.map(([prompt, chosen, rejected]) =>
      JSON.stringify({
        prompt: turn('user', `${prompt} ${n}`),
        chosen: turn('assistant', chosen),
        rejected: turn('assistant', rejected),
      }),
    ),
  )
  const file = path.join(dataFolder, 'слова.jsonl')
  writeFileSync(file, lines.join('\n'))
  await runJson(['import', file, '--name', 'Слова'], options)
  await runJson(
    ['train', 'sft', '--data', 'Слова', '--model', 'new:nano', '--steps', '2', '--name', 'чат', '--engine', 'wasm'],
    options,
  )
})

it('plays a run whose name has no letter that an id can have, by that name, on prompts of any script', async () => {
  const match = await runJson(
    ['versus', 'чат-1', 'data:rejected', '--judge', 'length:20', '--max-tokens', '8'],
    options,
  )
  expect(JSON.stringify(match)).toContain('чат')
  expect(JSON.stringify(match)).toContain('run-1')
})

it.each([
  [['чат-1', 'data:nothing', '--judge', 'length:20'], 2, /no answers “nothing”[\s\S]*data:chosen or data:rejected/],
  [['run-1@7', 'data:chosen', '--judge', 'length:20'], 2, /cannot write from “7”[\s\S]*run-1@best/],
  [['run-1', 'data:chosen', '--judge', 'length:long'], 2, /not “long”[\s\S]*--judge length:200/],
  [['run-1', 'data:chosen', '--judge', 'regex:('], 3, /regular expression/],
  [['run-1', 'data:chosen', '--judge', 'length:20', '--prompts', '0'], 3, /prompts: at least 1 is asked for/],
  [['run-1', 'data:chosen', '--judge', 'length:20', '--max-tokens', '1.5'], 3, /maxTokens: a whole number/],
  [['run-1', 'data:chosen', '--judge', 'nobody'], 4, /no run "nobody"[\s\S]*run-1 \(чат s1\)/],
])('says what is wrong with %j', async (args, status, words) => {
  const { status: ended, stderr } = await runCli(['versus', ...args], options)
  expect(stderr).toMatch(words)
  expect(ended).toBe(status)
})
