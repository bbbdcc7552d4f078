/** What pip asks unless the person's own settings of pip name another. */
export const PACKAGE_INDEX = 'the Python Package Index, or another where your pip is set up for one'

/** Every connection that Pairlab can make, each with when it makes it. Settings and the status bar show this list. */
export const CONNECTIONS = [
  '127.0.0.1: a page in the browser and command lines of this machine speak to the app there.',
  `pip, to its package index (${PACKAGE_INDEX}): only when you add TensorFlow and choose to have it fetched.`,
  'npm and Electron’s download: only by "npm start" and "npm test", before the app runs, where packages are missing.',
] as const
