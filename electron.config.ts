import { cpSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type UserConfig } from 'electron-vite'
import type { Plugin } from 'vite'

const at = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The WebAssembly of engine and simulator, and the bundled samples and pages are read at run time, so they travel as files. */
const copyRuntimeFiles = {
  name: 'copy-runtime-files',
  closeBundle(): void {
    const wasm = at('./node_modules/@tensorflow/tfjs-backend-wasm/dist/')
    for (const name of readdirSync(wasm)) {
      if (name.endsWith('.wasm')) cpSync(path.join(wasm, name), at(`./out/main/wasm/${name}`))
    }
    cpSync(at('./node_modules/@mujoco/mujoco/mujoco.wasm'), at('./out/main/wasm/mujoco.wasm'))
    for (const folder of ['samples', 'docs'])
      cpSync(at(`./resources/${folder}`), at(`./out/resources/${folder}`), { recursive: true })
  },
}

/** Writes down which packages' code is in a part of the bundle, for their notices: `main/doors/launch/notices.mjs`. */
function listPackages(part: string): Plugin {
  return {
    name: 'list-packages',
    apply: 'build',
    writeBundle(_options, bundle) {
      const files = Object.values(bundle).flatMap((output) =>
        output.type === 'chunk' ? output.moduleIds : output.originalFileNames,
      )
      const folders = files.flatMap(
        (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file.replaceAll('\\', '/').replace('\0', ''))?.[0] ?? [],
      )
      mkdirSync(at('./out/packages'), { recursive: true })
      writeFileSync(
        at(`./out/packages/${part}.json`),
        JSON.stringify([...new Set(folders)].map((folder) => path.relative(at('.'), folder)).toSorted()),
      )
    },
  }
}

/** TensorFlow.js brings a client for the network, which would load Node's own at every start. Nothing here fetches. */
export const leaveOutFetch: Plugin = {
  name: 'leave-out-fetch',
  enforce: 'pre',
  resolveId: (id) => (id === 'node-fetch' ? '\0no-fetch' : null),
  load: (id) =>
    id === '\0no-fetch' ? "export default () => Promise.reject(new Error('Pairlab fetches nothing.'))" : null,
}

/** They find their libraries beside their own files. */
const NATIVE = ['better-sqlite3', 'webgpu']

/** The development server alone: what it sends has scripts and styles inside the page, and speaks with nobody but itself. */
const DEVELOPMENT_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What `main/doors/launch/build.mjs` asks for; everything where it asks for nothing. */
const only = process.env['PAIRLAB_BUILD_ONLY'] ?? ''

const programs: Pick<UserConfig, 'main' | 'preload'> = {
  main: {
    plugins: [leaveOutFetch, copyRuntimeFiles, listPackages('main')],
    build: {
      outDir: 'out/main',
      // Everything but the native module is bundled, so that the package holds what runs and nothing else.
      externalizeDeps: { exclude: [], include: NATIVE },
      rollupOptions: {
        input: {
          electron: at('./main/doors/electron/index.ts'),
          cli: at('./main/doors/headless/cli.ts'),
          worker: at('./main/workers/entry.ts'),
          reader: at('./main/workers/reader/entry.ts'),
        },
        external: ['electron', ...NATIVE],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    plugins: [listPackages('preload')],
    build: {
      outDir: 'out/preload',
      // A sandboxed preload script is one CommonJS file with everything but electron inside.
      externalizeDeps: false,
      rollupOptions: {
        input: { index: at('./main/doors/electron/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
}

const page: Pick<UserConfig, 'renderer'> = {
  renderer: {
    root: at('./renderer'),
    base: './',
    plugins: [react(), listPackages('page')],
    server: {
      host: '127.0.0.1',
      headers: {
        'content-security-policy': DEVELOPMENT_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      },
      fs: { allow: ['renderer', 'shared', 'node_modules'].map((folder) => realpathSync(at(`./${folder}`))) },
    },
    build: {
      outDir: at('./out/renderer'),
      minify: true,
      emptyOutDir: true,
      assetsInlineLimit: 0, // no data: addresses, so that the content security policy can stay at 'self'
      modulePreload: { polyfill: false },
      rollupOptions: { input: { index: at('./renderer/index.html') } },
    },
  },
}

export default defineConfig({ ...(only === 'page' ? {} : programs), ...(only === 'programs' ? {} : page) })
