import path from 'node:path'
import { expect, test } from 'vitest'
import { exportForms } from '../../main/app/requests/export-forms.ts'
import { ownFolder } from '../support/own-folder.ts'
import { sketch } from '../support/sketch-run.ts'

const own = ownFolder('export forms')

test('a checkpoint that its trainer removed while somebody looked at the run takes nothing from what is shown', () => {
  const { spec } = sketch({ method: 'dpo', seed: 1, accuracy: [0.5] })
  expect(exportForms(spec, path.join(own.path, '00000040'))).toEqual(['model'])
})
