import { createRequire } from 'node:module'

/** Not imported: an import reads all that the module offers, and so loads Node's fetch and WebSocket at every start. */
export const { createServer, request } = createRequire(import.meta.url)('node:http') as typeof import('node:http')
