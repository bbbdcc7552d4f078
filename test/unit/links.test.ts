// Links within the documents lead somewhere: a moved file or a renamed heading breaks them without anybody noticing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const NOT_OURS = new Set(['node_modules', 'out', 'release', '.git'])
const documents = documentsBelow('')

function documentsBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(name) ? [] : documentsBelow(name)
    return name.endsWith('.md') ? [name] : []
  })
}

/** What is code is no link. */
function prose(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    .replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code))
}

/** The names that headings get as targets, as GitHub makes them. */
function anchors(file: string): Set<string> {
  const seen = new Map<string, number>()
  return new Set(
    prose(file)
      .split('\n')
      .flatMap((line) => {
        const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1]
        if (heading === undefined) return []
        const name = heading
          .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
          .replaceAll(' ', '-')
        const count = seen.get(name) ?? 0
        seen.set(name, count + 1)
        return count === 0 ? name : `${name}-${count}`
      }),
  )
}

/** Targets of inline links, images and definitions. */
function links(text: string): string[] {
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
  const defined = [...text.matchAll(/^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm)]
  return [...inline, ...defined].flatMap(([, target]) => (target === undefined ? [] : [target]))
}

/** Links of one document that lead nowhere. */
function broken(file: string): string[] {
  return links(prose(file)).filter((link) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return false
    const [place = '', anchor = ''] = link.split('#', 2)
    const target = place === '' ? file : path.resolve(path.dirname(file), decodeURIComponent(place))
    if (!existsSync(target)) return true
    return (
      anchor !== '' &&
      statSync(target).isFile() &&
      target.endsWith('.md') &&
      !anchors(target).has(decodeURIComponent(anchor))
    )
  })
}

it('leads from every document to what is there', () => {
  expect(documents).toContain('README.md')
  expect(documents.length).toBeGreaterThan(20)
  expect(
    Object.fromEntries(
      documents.map((name) => [name, broken(path.join(root, name))]).filter(([, found]) => found?.length),
    ),
  ).toEqual({})
})

it('finds links of every form, and none in code', () => {
  expect(links('[a](b.md) ![c](<d.png> "title") [e](f.md#g)\n[h]: i.md\n')).toEqual(['b.md', 'd.png', 'f.md#g', 'i.md'])
})
