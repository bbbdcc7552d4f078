import { expect, test } from 'vitest'
import { childEnvironment } from '../../main/base/processes/child-environment.ts'

const SECRETS = {
  AWS_SECRET_ACCESS_KEY: 's',
  HF_TOKEN: 's',
  OPENAI_API_KEY: 's',
  SSH_AUTH_SOCK: 's',
  GITHUB_TOKEN: 's',
  DBUS_SESSION_BUS_ADDRESS: 's',
  npm_config_token: 's',
  LD_PRELOAD: 's',
  PASSWORD: 's',
  NODE_AUTH_TOKEN: 's',
}
const NEEDED = {
  PATH: '/bin',
  HOME: '/home/me',
  LANG: 'de_DE.UTF-8',
  LC_ALL: 'C',
  TMPDIR: '/tmp',
  LD_LIBRARY_PATH: '/lib',
  CUDA_VISIBLE_DEVICES: '0',
  XLA_FLAGS: 'x',
  TF_NUM_INTRAOP_THREADS: '2',
  OMP_NUM_THREADS: '2',
  PAIRLAB_ENGINES: '/e',
  NODE_COMPILE_CACHE: '/c',
}

test('a child gets what it needs and no secret of the shell', () => {
  expect(childEnvironment({ ...SECRETS, ...NEEDED, UNSET: undefined })).toEqual(NEEDED)
})

test('Windows writes names in any case', () => {
  expect(childEnvironment({ Path: 'C:\\bin', SystemRoot: 'C:\\Windows', Hf_Token: 's' })).toEqual({
    Path: 'C:\\bin',
    SystemRoot: 'C:\\Windows',
  })
})

test('what builds an engine also gets where Python, pip and a compiler look', () => {
  const build = {
    PYTHONPATH: '/p',
    PIP_INDEX_URL: 'http://mirror.lab',
    https_proxy: 'http://proxy.lab',
    CXX: 'g++',
    VIRTUAL_ENV: '/v',
  }
  expect(childEnvironment({ ...SECRETS, ...build }, 'build')).toEqual(build)
  expect(childEnvironment(build)).toEqual({})
})
