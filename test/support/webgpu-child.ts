// `webgpu-child.ts <lost | memory | limit>`: opens the engine, brings about that trouble and prints what the engine says of it.
import { toWire } from '../../shared/errors.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

const engine = await openEngine('webgpu', { adapter: process.argv[3] ?? null }).catch((error: unknown) => {
  console.log(JSON.stringify(toWire(error)))
  process.exit(0)
})
const backend = tf.backend() as unknown as { device: GPUDevice }
const before = engine.trouble?.() ?? null
if (process.argv[2] === 'lost') backend.device.destroy()
if (process.argv[2] === 'memory') backend.device.createBuffer({ size: backend.device.limits.maxBufferSize, usage: 128 })
if (process.argv[2] === 'limit')
  backend.device.createBuffer({ size: backend.device.limits.maxBufferSize + 4, usage: 128 })
await new Promise((resolve) => setTimeout(resolve, 200))
const trouble = engine.trouble?.() ?? null
console.log(
  JSON.stringify({
    before,
    device: engine.device,
    software: engine.software,
    ...(trouble === null ? { code: null } : toWire(trouble)),
  }),
)
process.exit(0)
