import { drawDistribution, type DrawOptions } from '../../core/learn/sampling/sample-draw.ts'
import { covered, type Check } from './check.ts'
import { SINGLE } from './compare.ts'
import { reader } from './vectors.ts'

const NEUTRAL: DrawOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 }
/** As the transformers library names its processors → our option. */
const OPTION_OF: Readonly<Record<string, keyof DrawOptions>> = {
  temperature: 'temperature',
  top_k: 'topK',
  top_p: 'topP',
  min_p: 'minP',
  repetition_penalty: 'repetitionPenalty',
}

/** One option at a time: `top_p_0.8` in `params.processor`. */
const checkSampling: Check = (vector) => {
  const processor = reader(vector.params, 'params').text('processor')
  const border = processor.lastIndexOf('_')
  const option = OPTION_OF[processor.slice(0, border)]
  if (option === undefined) return { outputs: [], notCovered: [`no option of ours is ${processor}`] }
  const inputs = reader(vector.inputs, 'inputs')
  const seen = inputs.matrix('previous_ids')
  const options = { ...NEUTRAL, [option]: Number(processor.slice(border + 1)) }
  const probs = inputs
    .matrix('logits')
    .map((row, at) => [...drawDistribution(Float32Array.from(row), options, new Set(seen[at]))])
  return {
    outputs: covered(SINGLE, { probs, logits: asLogits(probs, reader(vector.outputs, 'outputs').matrix('logits')) }),
    notCovered: [],
  }
}

/** Options together, in the order in which generation applies them. */
const checkSamplingOrder: Check = (vector) => {
  const params = reader(vector.params, 'params')
  const inputs = reader(vector.inputs, 'inputs')
  const options: DrawOptions = {
    temperature: params.number('temperature'),
    topK: params.number('top_k'),
    topP: params.number('top_p'),
    minP: params.number('min_p'),
    repetitionPenalty: params.number('repetition_penalty'),
  }
  const probs = [
    ...drawDistribution(Float32Array.from(inputs.vector('logits')), options, new Set(inputs.vector('previous_ids'))),
  ]
  return { outputs: covered(SINGLE, { probs }), notCovered: [] }
}

/** log-probabilities moved to the height of the vector's logits: a constant that is added to a row changes no draw. */
function asLogits(probs: readonly (readonly number[])[], expected: readonly (readonly number[])[]): number[][] {
  return probs.map((row, at) => {
    const shift = Math.max(...expected[at]!) - Math.log(Math.max(...row))
    return row.map((p) => Math.log(p) + shift)
  })
}

export const SAMPLING_CHECKS: Readonly<Record<string, Check>> = {
  sampling: checkSampling,
  sampling_order: checkSamplingOrder,
}
