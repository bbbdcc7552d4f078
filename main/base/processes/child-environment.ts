/** What a process needs to run, find its libraries and speak the person's language. A key or a password of the person's is in none of these. */
const NEEDED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NODE_COMPILE_CACHE',
  // Windows cannot start a program without some of these.
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
]
const NEEDED_PREFIXES = [
  'LC_',
  'XDG_',
  'PAIRLAB_',
  'CUDA_',
  'NVIDIA_',
  'XLA_',
  'TF_',
  'OMP_',
  'KMP_',
  'MKL_',
  'VK_',
  'MESA_',
  'DAWN_',
]
/** Of programs that fetch and build an engine: where Python and pip look, and what a compiler searches. */
const BUILD_NAMES = [
  'VIRTUAL_ENV',
  'CXX',
  'CPATH',
  'LIBRARY_PATH',
  'CPLUS_INCLUDE_PATH',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
]
const BUILD_PREFIXES = ['PYTHON', 'PYENV_', 'CONDA_', 'PIP_']

type Environment = Readonly<Record<string, string | undefined>>

/** The part of an environment that a child process is given. Windows writes the names in any case. */
export function childEnvironment(env: Environment, purpose: 'compute' | 'build' = 'compute'): Record<string, string> {
  const names = purpose === 'build' ? [...NEEDED, ...BUILD_NAMES] : NEEDED
  const prefixes = purpose === 'build' ? [...NEEDED_PREFIXES, ...BUILD_PREFIXES] : NEEDED_PREFIXES
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(
    given.filter(([name]) => {
      const upper = name.toUpperCase()
      return names.includes(upper) || prefixes.some((prefix) => upper.startsWith(prefix))
    }),
  )
}
