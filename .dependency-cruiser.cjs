/**
 * Who may import whom. Each row: [part, its files, our files it may import, npm packages it may import, node: builtins?].
 * A file outside every row, and a package outside its row, is an error.
 */
const rows = [
  ['shared', '^shared/', ['^shared/'], ['zod'], false],
  ['learn-tf', '^main/learn/tf\\.ts$', [], ['@tensorflow/tfjs'], false],
  ['learn', '^main/learn/(?!tf\\.ts$)', ['^main/learn/', '^shared/'], ['zod', '@huggingface/tokenizers', '@huggingface/jinja'], false],
  ['engine', '^main/trainer/engine/', ['^main/trainer/engine/', '^main/engines/own-engines\\.ts$', '^main/learn/', '^shared/'], ['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-backend-webgpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu', 'webgpu', 'zod'], true],
  // Opens files of a person, whatever they turn out to be.
  ['files', '^main/files/', ['^main/files/', '^shared/'], [], true],
  // Reads and writes model folders in Hugging Face layout.
  ['models', '^main/models/', ['^main/(models|learn|files)/', '^shared/'], ['zod'], true],
  // Worlds to act in: no tensors. Node's own modules only where the simulator's WebAssembly is found.
  ['worlds', '^main/worlds/(?!mujoco\\.ts$)', ['^main/worlds/', '^main/learn/random\\.ts$', '^shared/'], [], false],
  ['worlds-mujoco', '^main/worlds/mujoco\\.ts$', ['^shared/'], ['@mujoco/mujoco'], true],
  // Brings engines onto the machine: unpacks, builds, checks. Runs no tensors itself.
  ['engines', '^main/engines/', ['^main/(engines|files)/', '^main/events\\.ts$', '^shared/'], ['zod', 'yauzl'], true],
  ['trainer', '^main/trainer/(?!engine/)', ['^main/(trainer|learn|models|files|worlds)/', '^shared/', '^main/runs/run-dir(-events|-lock)?\\.ts$'], ['zod'], true],
  ['store', '^main/store/', ['^main/store/', '^shared/'], ['better-sqlite3', 'zod'], true],
  ['data', '^main/data/', ['^main/(data|files|store|worlds)/', '^main/events\\.ts$', '^main/learn/safetensors\\.ts$', '^shared/'], ['zod', 'csv-parse', 'yauzl'], true],
  // Collections of documents, queries and judgments: their files, read and written.
  ['retrieval', '^main/retrieval/', ['^main/(retrieval|files)/', '^main/data/readers[a-z-]*\\.ts$', '^main/learn/', '^shared/'], ['zod'], true],
  // The child process that opens files of strangers, and the app's side of it. It never writes, and never opens the database.
  ['reader', '^main/reader/', ['^main/(reader|data|retrieval|registry)/', '^shared/'], [], true],
  ['reading', '^main/reading/', ['^main/reading/', '^main/reader/protocol\\.ts$', '^shared/'], [], true],
  // The models that were added: an index over folders, theirs and ours.
  ['registry', '^main/registry/', ['^main/(registry|models|files|store)/', '^main/events\\.ts$', '^shared/'], ['zod'], true],
  ['runs', '^main/runs/', ['^main/(runs|store)/', '^main/events\\.ts$', '^main/trainer/protocol\\.ts$', '^shared/'], ['zod'], true],
  // Processes that keep a model and write with it.
  ['playground', '^main/playground/', ['^main/playground/', '^main/trainer/generate-protocol\\.ts$', '^shared/'], ['zod'], true],
  ['handlers', '^main/handlers/', ['^main/(handlers|data|reading|files|store|runs|models|engines|registry|papers|playground|retrieval|worlds)/', '^main/(events|log|data-folder)\\.ts$', '^main/learn/(registry|define|rewards|bandit)\\.ts$', '^shared/'], ['zod'], true],
  ['golden', '^main/(golden|reproduce)/', ['^main/(golden|reproduce|learn|models|retrieval|worlds)/', '^shared/'], ['zod'], true],
  // Runs experiments apart from the app, and keeps what they found.
  ['papers', '^main/papers/', ['^main/(papers|reproduce)/', '^main/events\\.ts$', '^main/store/datasets-folder\\.ts$', '^shared/'], ['zod'], true],
  ['app', '^main/(app|events|log|data-folder|[a-z-]+)\\.ts$', ['^main/(?!electron/|headless/|trainer/)', '^shared/'], ['zod'], true],
  ['headless', '^main/headless/', ['^main/(headless|files|golden|reproduce|models|engines|papers|retrieval)/', '^main/(app|events|log|data-folder|private-folder)\\.ts$', '^main/store/recover\\.ts$', '^main/learn/registry\\.ts$', '^main/trainer/engine/', '^shared/'], ['ws', 'zod', 'commander', 'cli-progress'], true],
  ['electron', '^main/electron/', ['^main/electron/', '^main/(app|events|log|data-folder|private-folder|headless/shared-app)\\.ts$', '^shared/'], ['electron'], true],
  ['renderer', '^renderer/', ['^renderer/', '^shared/'], ['react', 'react-dom', '@tanstack/[^/]+', 'uplot', 'wouter', 'lucide-react', 'diff', 'zod', 'vite'], false],
]
const escape = (name) => name.replace(/\//g, '\\/')
const ours = '^(main|renderer|shared)/'
const forbidden = rows.flatMap(([part, from, allowed, packages, node]) => [
  { name: `${part}-imports-our-own`, severity: 'error', from: { path: from }, to: { path: ours, ...(allowed.length > 0 ? { pathNot: allowed } : {}) } },
  {
    name: `${part}-imports-package`,
    severity: 'error',
    from: { path: from },
    to: {
      dependencyTypesNot: ['core', 'local', 'localmodule', 'aliased'],
      pathNot: [ours, ...packages.flatMap((name) => [`node_modules/${escape(name)}/`, `^${escape(name)}(/|$)`, `node_modules/@types/${escape(name)}/`])],
    },
  },
  ...(node ? [] : [{ name: `${part}-imports-node`, severity: 'error', from: { path: from }, to: { dependencyTypes: ['core'] } }]),
])

module.exports = {
  forbidden: [
    ...forbidden,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'only-electron-imports-electron', severity: 'error', from: { pathNot: '^main/electron/' }, to: { path: '(^|node_modules/)electron(/|$)', pathNot: ours } },
    { name: 'uncategorised-file', severity: 'error', from: { path: ours, pathNot: [...rows.map((row) => row[1]), '^main/launch/', '^renderer/.*\\.css$'] }, to: {} },
  ],
  options: { parser: 'swc', tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, exclude: { path: '\\.css$' } },
}
