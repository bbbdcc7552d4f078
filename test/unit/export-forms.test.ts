import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, test } from 'vitest'
import { exportForms } from '../../main/app/requests/export-forms.ts'
import { ownFolder } from '../support/own-folder.ts'
import { sketch } from '../support/sketch-run.ts'

const own = ownFolder('export forms')

test('a checkpoint that its trainer removes while somebody looks at the run takes nothing from what is shown', async () => {
  const { spec } = sketch({ method: 'dpo', seed: 1, accuracy: [0.5] })
  const folder = path.join(own.path, '00000040')
  // Another process makes and removes it all the time.
  const remover = spawn(process.execPath, [
    '-e',
    `const fs = require('node:fs'); const [, folder] = process.argv
    console.log('goes')
    for (;;) { fs.mkdirSync(folder); fs.rmSync(folder, { recursive: true }) }`,
    folder,
  ])
  try {
    await once(remover.stdout, 'data')
    const until = Date.now() + 500
    for (let looks = 0; Date.now() < until; looks += 1) expect(exportForms(spec, folder)).toEqual(['model'])
  } finally {
    remover.kill('SIGKILL')
    await once(remover, 'exit')
  }
})
