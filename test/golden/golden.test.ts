import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatGoldenReport, runGolden } from '../../main/workers/golden/run-golden.ts'
import { algorithms } from '../../main/core/learn/registry.ts'

const vectors = fileURLToPath(new URL('.', import.meta.url))
const names = (await readdir(vectors)).filter((name) => name.endsWith('.json')).map((name) => name.replace('.json', ''))

describe('the golden vectors', () => {
  it('agree with our losses, gradients, optimizer and statistics', async () => {
    const report = await runGolden(vectors, { engine: 'cpu' })
    expect(report.results.filter((result) => result.status === 'failed')).toEqual([])
    expect(report.exitStatus).toBe(0)
    const passed = new Set(report.results.filter((result) => result.status === 'passed').map((result) => result.file))
    expect(report.results.filter((result) => result.status === 'passed' && result.compared === 0)).toEqual([])
    expect([...passed]).toEqual(
      expect.arrayContaining([
        ...names.map((name) => `${name}.json`),
        'tokenizer/gpt2_style.vectors.json',
        'tokenizer/qwen2_style.vectors.json',
      ]),
    )
    for (const name of [
      'bert',
      'bert_f16_sharded_old',
      'distilbert_bf16',
      'llama_lasttoken',
      'cased.vectors.json',
      'uncased.vectors.json',
    ])
      expect([...passed]).toContain(`models-encoders/${name}`)
    // Enough that a check which compares nothing would show.
    expect(report.results.reduce((sum, result) => sum + result.compared, 0)).toBeGreaterThan(4000)
    expect(formatGoldenReport(report).split('\n').at(-1)).toBe(`${report.passed} passed, 0 failed, 0 not covered`)
  })

  it.each(algorithms.map(({ id, vectors: files }) => [id, files] as const))(
    'hold every file that %s names',
    (_id, files) => {
      expect(files.length).toBeGreaterThan(0)
      expect(names).toEqual(expect.arrayContaining([...files]))
    },
  )

  const scripts = readdirSync(vectors).filter((name) => name.startsWith('make-'))
  it.each(scripts)('are what %s makes', async (script) => {
    const made = execFileSync(process.execPath, [path.join(vectors, script)], { encoding: 'utf8' })
    expect(JSON.parse(made)).toEqual(
      JSON.parse(await readFile(path.join(vectors, script.replace(/^make-|\.[a-z]+$/g, '') + '.json'), 'utf8')),
    )
  })
})

describe('a folder with a wrong number', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'golden-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function planted<T = Record<string, unknown>>(file: string, change: (outputs: T) => void): Promise<string> {
    const whole = JSON.parse(await readFile(path.join(vectors, `${file}.json`), 'utf8'))
    change(whole.cases[0].outputs)
    await writeFile(path.join(folder, `${file}.json`), JSON.stringify(whole))
    const report = await runGolden(folder, { engine: 'cpu' })
    expect(report.exitStatus).toBe(1)
    expect(report.failed).toBe(1)
    return formatGoldenReport(report)
  }

  it.each(names)('notices it in %s', async (file) => {
    const text = await planted(file, (outputs) => shiftFirstNumber(outputs))
    expect(text).toMatch(new RegExp(`^FAILED ${file}\\.json `, 'm'))
  })

  it('notices a wrong gradient beside a right loss', async () => {
    const text = await planted('dpo', (outputs: { grads: { policy_rejected_logps: number[] } }) => {
      outputs.grads.policy_rejected_logps[2]! *= 1.01
    })
    expect(text).toContain('grads.policy_rejected_logps[2]')
  })

  it('notices a derivative of log σ at exactly 0 that is doubled', async () => {
    const whole = JSON.parse(await readFile(path.join(vectors, 'dpo.json'), 'utf8')) as {
      cases: { outputs: { margins: number[]; grads: { policy_chosen_logps: number[] } } }[]
    }
    const at = whole.cases.findIndex(({ outputs }) => outputs.margins.includes(0))
    const { margins, grads } = whole.cases[at]!.outputs
    grads.policy_chosen_logps[margins.indexOf(0)]! *= 2
    await writeFile(path.join(folder, 'dpo.json'), JSON.stringify(whole))
    expect(formatGoldenReport(await runGolden(folder, { engine: 'cpu' }))).toMatch(
      /FAILED dpo\.json .*grads\.policy_chosen_logps\[/,
    )
  })

  it('notices a wrong log-probability of a model in bfloat16', async () => {
    const model = path.join(folder, 'models', 'llama_bf16_sharded')
    await cp(path.join(vectors, 'models', 'llama_bf16_sharded'), model, { recursive: true })
    const file = path.join(model, 'vectors.json')
    const whole = JSON.parse(await readFile(file, 'utf8')) as { right_padded: { per_token_logps: number[][] } }
    whole.right_padded.per_token_logps[0]![2]! += 2e-3
    await writeFile(file, JSON.stringify(whole))
    expect(formatGoldenReport(await runGolden(folder, { engine: 'cpu' }))).toContain(
      'right_padded.per_token_logps[0][2]',
    )
  })

  it('notices a NaN, a missing value and a value in a masked place', async () => {
    expect(
      await planted('ipo', (outputs: { loss: unknown }) => {
        outputs.loss = 'NaN'
      }),
    ).toContain('expected NaN')
    await rm(path.join(folder, 'ipo.json'))
    expect(
      await planted('agreement', (outputs: { kappa_none: unknown }) => {
        outputs.kappa_none = null
      }),
    ).toContain('expected null')
    await rm(path.join(folder, 'agreement.json'))
    expect(
      await planted('copg_group', (outputs: { per_prompt: number[] }) => {
        outputs.per_prompt.push(0)
      }),
    ).toContain('expected 4')
  })

  it('notices a wrong token', async () => {
    await cp(path.join(vectors, 'tokenizer'), path.join(folder, 'tokenizer'), { recursive: true })
    const file = path.join(folder, 'tokenizer', 'gpt2_style.vectors.json')
    const whole = JSON.parse(await readFile(file, 'utf8'))
    whole.cases.at(-1).ids[0] += 1
    await writeFile(file, JSON.stringify(whole))
    const report = await runGolden(folder)
    expect([report.passed, report.failed]).toEqual([1, 1])
    expect(formatGoldenReport(report)).toMatch(/^FAILED tokenizer\/gpt2_style\.vectors\.json: encode /m)
  })

  it('reports what it does not know, and fails what it cannot read', async () => {
    await writeFile(path.join(folder, 'brand_new.json'), '{"format":1,"cases":[]}')
    await cp(path.join(vectors, 'kto.json'), path.join(folder, 'kto_new.json'))
    expect(formatGoldenReport(await runGolden(folder))).toContain('0 passed, 0 failed, 2 not covered')
    await writeFile(
      path.join(folder, 'dpo.json'),
      '{"format":1,"cases":[{"name":"x","inputs":{},"params":{"beta":0.1},"outputs":{"loss":1}}]}',
    )
    await writeFile(path.join(folder, 'ipo.json'), '{"format":')
    const report = await runGolden(folder)
    expect([report.failed, report.exitStatus]).toEqual([2, 1])
    expect(formatGoldenReport(report)).toContain('policy_chosen_logps')
  })

  it('takes the settings of a case through the page that names its file, and compares its own loss', async () => {
    const read = async (file: string): Promise<PlainCase[]> =>
      JSON.parse(await readFile(path.join(vectors, `${file}.json`), 'utf8')).cases
    const write = (file: string, cases: readonly unknown[]): Promise<void> =>
      writeFile(path.join(folder, `${file}.json`), JSON.stringify({ format: 1, cases }))
    const alone = (values: readonly number[]): number[][] => values.map((value) => [value]) // completions of one token
    const [ipo] = await read('ipo')
    const {
      policy_chosen_logps: chosen,
      policy_rejected_logps: rejected,
      ref_chosen_logps: refChosen,
      ref_rejected_logps: refRejected,
    } = ipo!.inputs as Record<string, number[]>
    const pairs = {
      policy_chosen_token_logps: alone(chosen!),
      policy_rejected_token_logps: alone(rejected!),
      ref_chosen_token_logps: alone(refChosen!),
      ref_rejected_token_logps: alone(refRejected!),
    }
    const grads = {
      policy_chosen_token_logps: alone(ipo!.outputs.grads['policy_chosen_logps'] as number[]),
      policy_rejected_token_logps: alone(ipo!.outputs.grads['policy_rejected_logps'] as number[]),
    }
    await write('ipo', [
      {
        name: 'whole page',
        inputs: pairs,
        params: { config: { beta: ipo!.params['beta'] } },
        outputs: { loss: ipo!.outputs.loss, grads },
      },
    ])
    const group = (await read('policy_gradient')).find(({ params }) => params['baseline'] === 'rloo')!
    const samples = (name: string): number[][][] => (group.inputs[name] as number[][]).map(alone)
    const rloo = { method: 'rloo', config: { beta: group.params['beta'], rewards: { kind: 'length', target: 5 } } }
    await write('policy_gradient', [
      {
        name: 'whole page',
        inputs: {
          policy_token_logps: samples('policy_logps'),
          ref_token_logps: samples('ref_logps'),
          rewards: group.inputs['rewards'],
        },
        params: rloo,
        outputs: {
          loss: group.outputs.loss,
          grads: { policy_token_logps: (group.outputs.grads['policy_logps'] as number[][]).map(alone) },
        },
      },
    ])
    const [list] = await read('listwise')
    const listNet = { method: 'listnet', config: {} }
    await write('listwise', [
      {
        name: 'whole page',
        inputs: { scores: [list!.inputs['scores']], relevance: [list!.inputs['relevance']] },
        params: listNet,
        outputs: { loss: list!.outputs['listnet_top1'], grads: { scores: [list!.outputs.grads['listnet_top1']] } },
      },
    ])
    const right = await runGolden(folder, { engine: 'cpu' })
    expect([formatGoldenReport(right), right.results.map(({ compared }) => compared > 5)]).toEqual([
      '3 passed, 0 failed, 0 not covered',
      [true, true, true],
    ])
    await write('ipo', [
      {
        name: 'another β',
        inputs: pairs,
        params: { config: { beta: 0.2 } },
        outputs: { loss: ipo!.outputs.loss, grads },
      },
      { name: 'no such setting', inputs: pairs, params: { config: { temperature: 1 } }, outputs: { loss: 0 } },
    ])
    await write('listwise', [
      { name: 'of whom', inputs: {}, params: { config: {} }, outputs: { loss: 0 } },
      {
        name: 'more',
        inputs: { scores: [[1, 0]], relevance: [[0, 1]] },
        params: listNet,
        outputs: { loss: 1.0443202, other: 1 },
      },
    ])
    const wrong = formatGoldenReport(await runGolden(folder, { engine: 'cpu' }))
    for (const part of [
      'FAILED ipo.json another β: loss = ',
      '; grads.policy_chosen_token_logps[3][0] = ',
      'FAILED ipo.json no such setting: params.config: ',
      'temperature',
      'FAILED listwise.json of whom: params.method names none',
      'not covered: listwise.json more: other: no counterpart',
    ])
      expect(wrong).toContain(part)
  })

  it('notices a wrong hidden state, vector, gradient and id of an encoder', async () => {
    const at = path.join(folder, 'models-encoders')
    await cp(path.join(vectors, 'models-encoders', 'distilbert_bf16'), path.join(at, 'distilbert'), { recursive: true })
    for (const name of ['tokenizer', 'vectors'])
      await cp(path.join(vectors, 'models-encoders', `cased.${name}.json`), path.join(at, `cased.${name}.json`))
    const edit = async (file: string, change: (value: never) => void): Promise<void> => {
      const value = JSON.parse(await readFile(path.join(at, file), 'utf8'))
      change(value as never)
      await writeFile(path.join(at, file), JSON.stringify(value))
    }
    await edit(
      'distilbert/vectors.json',
      (value: { last_hidden_states: number[][][]; embeddings: number[][]; grad_l2_norm: Record<string, number> }) => {
        value.last_hidden_states[1]![0]![3]! += 1e-3
        value.embeddings[2]![5]! += 1e-4
        value.grad_l2_norm['transformer.layer.1.ffn.lin1.weight']! *= 1.01
      },
    )
    await edit('cased.vectors.json', (value: { cases: { ids: number[] }[] }) => {
      value.cases[5]!.ids[0]! += 1
    })
    const text = formatGoldenReport(await runGolden(folder, { engine: 'cpu' }))
    for (const part of [
      'last_hidden_states[1][0][3]',
      'embeddings[2][5]',
      'grad_l2_norm.transformer.layer.1.ffn.lin1.weight',
      'cased.vectors.json ids: "ranking',
    ])
      expect(text).toContain(part)
  })

  it('says so when there is no folder', async () => {
    await expect(runGolden(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'file-not-found' })
  })
})

interface PlainCase {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly params: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>> & { readonly grads: Readonly<Record<string, unknown>> }
}

/** Adds 0.37 to the first finite number found, going into lists and records. */
function shiftFirstNumber(node: Record<string, unknown>): boolean {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === 'number') {
      node[key] = value + 0.37
      return true
    }
    if (typeof value === 'object' && value !== null && shiftFirstNumber(value as Record<string, unknown>)) return true
  }
  return false
}
