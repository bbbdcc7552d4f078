// npm run bench:card -- --pack <folder>: Node, Dawn, the bench in two files and its Python peer, small enough to be carried.
import {
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { build } from 'vite'
import { leaveOutFetch } from '../../electron.config.ts'
import { formatBytes } from '../../shared/units.ts'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const LARGEST_BYTES = 60 * 2 ** 20

/** TensorFlow.js's WebAssembly was compiled for a module of the older kind. */
const SHIM = `import { createRequire as shimRequire } from 'node:module'
const require = shimRequire(import.meta.url)
const __dirname = import.meta.dirname
const __filename = import.meta.filename
`

/** What unpacks it: gzip and sh are on every Linux. */
const RUN = `#!/bin/sh
# Measures this machine's graphics card: sh run.sh [--shapes small,large] [--json card.json] ...
# Needs a Vulkan driver (libvulkan.so.1 and the card's own). PyTorch is measured beside it where a Python has it: --python /path/to/python3
set -e
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d "\${TMPDIR:-/tmp}/pairlab-card-XXXXXX")
trap 'rm -rf "$place"' EXIT INT TERM
cp -r "$here/app/." "$place/"
gunzip -c "$here/node.gz" > "$place/node"
gunzip -c "$here/dawn.node.gz" > "$place/node_modules/webgpu/dist/${process.platform}-${process.arch}/dawn.node"
chmod 700 "$place/node"
"$place/node" "$place/card.js" "$@"
`

/** @throws Error where something else lies there, or it became too large to be carried */
export async function packCard(folder: string): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The folder is made on Linux, for Linux.')
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty.`)
  const app = path.join(folder, 'app')
  mkdirSync(app, { recursive: true })
  await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [leaveOutFetch],
    ssr: { noExternal: true, external: ['webgpu'] },
    build: {
      ssr: true,
      target: 'node24',
      outDir: app,
      emptyOutDir: false,
      rollupOptions: {
        input: { card: here('card.ts'), 'engine-child': here('engine-child.ts') },
        external: ['webgpu'],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js', banner: SHIM },
      },
    },
  })
  cpSync(here('peer.py'), path.join(app, 'peer.py'))
  writeFileSync(path.join(app, 'package.json'), '{ "type": "module" }\n')
  const wasm = path.join(path.dirname(resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')
  for (const name of readdirSync(wasm).filter((one) => one.endsWith('.wasm')))
    cpSync(path.join(wasm, name), path.join(app, 'wasm', name))
  const dawn = path.dirname(resolve('webgpu'))
  const native = path.join('dist', `${process.platform}-${process.arch}`)
  const copied = path.join(app, 'node_modules/webgpu')
  mkdirSync(path.join(copied, native), { recursive: true })
  for (const name of ['package.json', 'index.js', 'LICENSE.md']) cpSync(path.join(dawn, name), path.join(copied, name))
  await compress(path.join(dawn, native, 'dawn.node'), path.join(folder, 'dawn.node.gz'))
  await compress(process.execPath, path.join(folder, 'node.gz'))
  writeFileSync(path.join(folder, 'run.sh'), RUN, { mode: 0o755 })
  const bytes = sizeOf(folder)
  console.log(
    `${folder}: ${formatBytes(bytes)}. Copy it to a machine with a card, and there: sh run.sh --json card.json`,
  )
  if (bytes > LARGEST_BYTES)
    throw new Error(`It is larger than the ${formatBytes(LARGEST_BYTES)} that are easily carried.`)
}

const resolve = createRequire(import.meta.url).resolve

function compress(file: string, to: string): Promise<void> {
  return pipeline(createReadStream(file), createGzip({ level: 9 }), createWriteStream(to))
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0)
}
