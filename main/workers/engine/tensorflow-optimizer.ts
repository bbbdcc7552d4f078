// AdamW by TensorFlow's own training operation, one pass over memory: moments live in its variables.
import { OPTIMIZER_KERNELS, SLOT_KERNELS, type AdamAttributes } from '../../core/learn/optimizer-kernels.ts'
import { type KernelCall, registerTensorflowKernel, type TensorHandle, Work } from './tensorflow-ops.ts'

export function registerTensorflowOptimizer(): void {
  registerTensorflowKernel(OPTIMIZER_KERNELS.globalNorm, globalNorm)
  registerTensorflowKernel(SLOT_KERNELS.open, open)
  registerTensorflowKernel(SLOT_KERNELS.read, read)
  registerTensorflowKernel(SLOT_KERNELS.close, close)
  registerTensorflowKernel(SLOT_KERNELS.adamW, adamW)
}

/** √ Σ x² → [2] with 0 in second place: TensorFlow sums pairwise, in float32. */
function globalNorm({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  const halves = work.of(...Object.values(inputs)).map((id) => work.op('L2Loss', id)) // Σ x² / 2
  const total = halves.length === 1 ? halves[0]! : work.list('AddN', halves).id
  const norm = work.op('Sqrt', work.op('Mul', total, work.number(2)))
  return work.give(work.list('Pack', [norm, work.number(0)]))
}

let slots = 0

function open({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  const slot = work.one(
    'VarHandleOp',
    [],
    [
      work.typeAttribute(),
      work.shapeAttribute(inputs.value!.shape),
      work.text('container', ''),
      work.text('shared_name', `pairlab-${process.pid}-${(slots += 1)}`),
    ],
  )
  work.several('AssignVariableOp', [slot.id, work.of(inputs.value!)[0]!], 0)
  return work.give(slot)
}

function read({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  return work.give(work.one('ReadVariableOp', work.of(inputs.slot!), [work.typeAttribute()]))
}

/** Its memory is TensorFlow's until it is told. */
function close({ inputs, backend }: KernelCall): TensorHandle[] {
  const work = new Work(backend)
  work.several('DestroyResourceOp', work.of(inputs.slot!), 0)
  return work.give()
}

/** TensorFlow adds ε before it corrects the second moment: it gets ε times the correction. */
function adamW({ inputs, backend, attrs }: KernelCall<AdamAttributes>): TensorHandle[] {
  const work = new Work(backend)
  const { count, scale, keep, beta1, beta2, stepSize, correction2, epsilon } = attrs
  // lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ) is worked out there from powers; ours are in stepSize and correction2 already.
  const [zero, rate, first, second, tiny] = [
    work.number(0),
    work.passing(stepSize / correction2),
    work.number(beta1),
    work.number(beta2),
    work.passing(epsilon / correction2),
  ] as const
  const factor = scale === 1 ? null : work.passing(scale)
  const results = Array.from({ length: count }, (_, index) => {
    const [weights, given, m, v, x] = work.of(
      inputs[`w/${index}`]!,
      inputs[`g/${index}`]!,
      inputs[`m/${index}`]!,
      inputs[`v/${index}`]!,
      inputs[`x/${index}`]!,
    ) as [number, number, number, number, number]
    const gradient = factor === null ? given : work.op('Mul', given, factor)
    work.several(
      'AssignVariableOp',
      [x, keep[index] === 1 ? weights : work.op('Mul', weights, work.passing(keep[index]!))],
      0,
    )
    work.several('ResourceApplyAdam', [x, m, v, zero, zero, rate, first, second, tiny, gradient], 0)
    return work.one('ReadVariableOp', [x], [work.typeAttribute()])
  })
  return work.give(...results)
}
