/**
 * Who may import whom. Each row: [part, its files, our files it may import, npm packages it may import, node: builtins?].
 * A file outside every row, and a package outside its row, is an error.
 */
const rows = [
  ['shared', '^shared/', ['^shared/'], ['zod'], false],

  // Wing 1, base: what every process of the program speaks. Knows nothing of the app.
  ['base', '^main/base/', ['^main/base/', '^shared/'], ['zod'], true],

  // Wing 2, core: computes and parses; starts no process, opens no database.
  ['learn-tf', '^main/core/learn/tf\\.ts$', [], ['@tensorflow/tfjs'], false],
  [
    'learn',
    '^main/core/learn/(?!tf\\.ts$)',
    ['^main/core/learn/', '^shared/'],
    ['zod', '@huggingface/tokenizers', '@huggingface/jinja'],
    false,
  ],
  // What can be asked of the papers, before anything is computed.
  ['experiments', '^main/core/experiments\\.ts$', ['^shared/'], [], false],
  // Worlds to act in: no tensors. Node's own modules only where the simulator's WebAssembly is found.
  [
    'worlds',
    '^main/core/worlds/(?!mujoco\\.ts$)',
    ['^main/core/worlds/', '^main/core/learn/random\\.ts$', '^shared/'],
    [],
    false,
  ],
  ['worlds-mujoco', '^main/core/worlds/mujoco\\.ts$', ['^shared/'], ['@mujoco/mujoco'], true],
  // Reads and writes models: folders in Hugging Face layout, GGUF files, archives with one.
  ['models', '^main/core/models/', ['^main/core/(models|learn)/', '^main/base/', '^shared/'], ['zod', 'yauzl'], true],
  // Files of pairs, texts and segments, laid out as records.
  [
    'formats',
    '^main/core/formats/',
    ['^main/core/(formats|worlds|models)/', '^main/base/', '^shared/'],
    ['zod', 'csv-parse', 'yauzl', 'hyparquet'],
    true,
  ],
  // Collections of documents, queries and judgments: their files, read and written.
  [
    'retrieval',
    '^main/core/retrieval/',
    ['^main/core/(retrieval|formats|learn)/', '^main/base/', '^shared/'],
    ['zod'],
    true,
  ],

  // What a file or a folder is, by its content.
  ['imports', '^main/core/imports/', ['^main/core/(imports|formats|retrieval)/', '^main/base/', '^shared/'], [], true],

  // Published benchmarks: their files, read and scored as they score.
  [
    'benchmarks',
    '^main/core/benchmarks/',
    ['^main/core/(benchmarks|formats|learn)/', '^main/base/', '^shared/'],
    ['zod'],
    true,
  ],

  // Wing 3, workers: processes of their own. They compute; they never see the database or the app.
  [
    'engine',
    '^main/workers/engine/',
    ['^main/workers/engine/', '^main/core/learn/', '^main/base/', '^shared/'],
    [
      '@tensorflow/tfjs',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-webgpu',
      '@tensorflow/tfjs-node',
      '@tensorflow/tfjs-node-gpu',
      'webgpu',
      'zod',
    ],
    true,
  ],
  ['workers', '^main/workers/(?!engine/)', ['^main/(workers|core|base)/', '^shared/'], ['zod'], true],

  // Wing 4, app: the app's process. It starts workers and imports none of them.
  [
    'store',
    '^main/app/store/',
    ['^main/app/store/', '^main/core/(formats|models)/', '^main/base/', '^shared/'],
    ['better-sqlite3', 'zod'],
    true,
  ],
  [
    'data',
    '^main/app/data/',
    [
      '^main/app/(data|store)/',
      '^main/app/(events|jobs)\\.ts$',
      '^main/core/(formats|worlds)/',
      '^main/core/learn/models/safetensors\\.ts$',
      '^main/base/',
      '^shared/',
    ],
    ['zod'],
    true,
  ],
  // The app's side of the process that reads what a person gives.
  ['reading', '^main/app/reading/', ['^main/app/reading/', '^main/core/formats/', '^main/base/', '^shared/'], [], true],
  // Collections of judged lists, each kept by a process of its own.
  [
    'collections',
    '^main/app/collections/',
    [
      '^main/app/collections/',
      '^main/app/events\\.ts$',
      '^main/core/formats/reader-protocol\\.ts$',
      '^main/base/',
      '^shared/',
    ],
    ['zod'],
    true,
  ],
  // The models that were added: an index over folders, theirs and ours.
  [
    'registry',
    '^main/app/registry/',
    ['^main/app/(registry|store)/', '^main/app/(events|jobs)\\.ts$', '^main/core/models/', '^main/base/', '^shared/'],
    ['zod'],
    true,
  ],
  // Brings engines onto the machine: unpacks, builds, has them checked.
  [
    'engine-setup',
    '^main/app/engine-setup/',
    ['^main/app/engine-setup/', '^main/app/(events|jobs)\\.ts$', '^main/base/', '^shared/'],
    ['zod', 'yauzl'],
    true,
  ],
  [
    'runs',
    '^main/app/runs/',
    ['^main/app/(runs|store)/', '^main/app/(events|jobs)\\.ts$', '^main/base/', '^shared/'],
    ['zod'],
    true,
  ],
  // Processes that keep a model and write with it.
  ['playground', '^main/app/playground/', ['^main/app/playground/', '^main/base/', '^shared/'], ['zod'], true],
  // Processes in which policies act in worlds, for somebody who watches.
  ['acting', '^main/app/acting/', ['^main/app/acting/', '^main/base/', '^shared/'], [], true],
  // One policy against another: has matches played apart from the app, and keeps what came of them.
  [
    'matches',
    '^main/app/matches/',
    ['^main/app/matches/', '^main/app/(events|jobs)\\.ts$', '^main/base/', '^shared/'],
    ['zod'],
    true,
  ],
  // Has experiments run apart from the app, and keeps what they found.
  [
    'papers',
    '^main/app/papers/',
    [
      '^main/app/papers/',
      '^main/app/(events|jobs)\\.ts$',
      '^main/app/store/datasets-folder\\.ts$',
      '^main/core/experiments\\.ts$',
      '^main/base/',
      '^shared/',
    ],
    ['zod'],
    true,
  ],
  [
    'app',
    '^main/app/(app|events|find-programs|jobs)\\.ts$|^main/app/(handlers|requests)/',
    ['^main/(app|core|base)/', '^shared/'],
    ['zod'],
    true,
  ],

  // Wing 5, doors: the ways in. No SQL, no tensors.
  [
    'headless',
    '^main/doors/headless/',
    [
      '^main/doors/headless/',
      '^main/app/(app|events|find-programs)\\.ts$',
      '^main/app/(engine-setup|papers)/',
      '^main/app/store/recover\\.ts$',
      '^main/core/(experiments|learn/registry)\\.ts$',
      '^main/core/(models|retrieval)/',
      '^main/core/benchmarks/places\\.ts$',
      '^main/base/',
      '^shared/',
    ],
    ['ws', 'zod', 'commander', 'cli-progress'],
    true,
  ],
  [
    'electron',
    '^main/doors/electron/',
    [
      '^main/doors/electron/',
      '^main/doors/headless/shared-app\\.ts$',
      '^main/app/(app|events)\\.ts$',
      '^main/base/',
      '^shared/',
    ],
    ['electron', 'zod'],
    true,
  ],

  [
    'renderer',
    '^renderer/',
    ['^renderer/', '^shared/'],
    ['react', 'react-dom', '@tanstack/[^/]+', 'wouter', 'lucide-react', 'diff', 'zod', 'vite'],
    false,
  ],
]
const escape = (name) => name.replace(/\//g, '\\/')
const ours = '^(main|renderer|shared)/'
const forbidden = rows.flatMap(([part, from, allowed, packages, node]) => [
  {
    name: `${part}-imports-our-own`,
    severity: 'error',
    from: { path: from },
    to: { path: ours, ...(allowed.length > 0 ? { pathNot: allowed } : {}) },
  },
  {
    name: `${part}-imports-package`,
    severity: 'error',
    from: { path: from },
    to: {
      dependencyTypesNot: ['core', 'local', 'localmodule', 'aliased'],
      pathNot: [
        ours,
        ...packages.flatMap((name) => [
          `node_modules/${escape(name)}/`,
          `^${escape(name)}(/|$)`,
          `node_modules/@types/${escape(name)}/`,
        ]),
      ],
    },
  },
  ...(node
    ? []
    : [{ name: `${part}-imports-node`, severity: 'error', from: { path: from }, to: { dependencyTypes: ['core'] } }]),
])

/** What is started, and what a build takes by its name: from these everything is reached. Types that no import names are .d.ts. */
const begins = [
  '^main/doors/electron/(index|preload)\\.ts$',
  '^main/doors/headless/(cli|dev-host)\\.ts$',
  '^main/workers/(entry|reader/entry)\\.ts$',
  '^renderer/main\\.tsx$',
]

/** The wings of main/, and those of them that each may look into: nothing looks back. */
const wings = {
  doors: ['doors', 'app', 'core', 'base'],
  app: ['app', 'core', 'base'],
  workers: ['workers', 'core', 'base'],
  core: ['core', 'base'],
  base: ['base'],
}

module.exports = {
  forbidden: [
    ...Object.entries(wings).map(([wing, seen]) => ({
      name: `wing-${wing}`,
      severity: 'error',
      from: { path: `^main/${wing}/` },
      to: { path: '^main/', pathNot: `^main/(${seen.join('|')})/` },
    })),
    ...forbidden,
    {
      name: 'reached-by-nothing',
      severity: 'error',
      from: { path: begins },
      to: { path: `${ours}.*\\.tsx?$`, pathNot: begins, reachable: false },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-electron-imports-electron',
      severity: 'error',
      from: { pathNot: '^main/doors/electron/' },
      to: { path: '(^|node_modules/)electron(/|$)', pathNot: ours },
    },
    {
      name: 'uncategorised-file',
      severity: 'error',
      from: { path: ours, pathNot: [...rows.map((row) => row[1]), '^main/doors/launch/', '^renderer/.*\\.css$'] },
      to: {},
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.css$' },
  },
}
