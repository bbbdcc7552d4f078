import { expect, test } from 'vitest'
import { filesBelow, filesToSend } from '../../renderer/api/folder-entries.ts'

interface Tree {
  readonly [name: string]: Tree | string
}

/** A dropped folder, as a browser hands it out: at most `atOnce` entries a time. */
function entryOf(name: string, tree: Tree | string, atOnce = 2): FileSystemEntry {
  if (typeof tree === 'string')
    return { name, isDirectory: false, file: (done: (file: File) => void) => done(new File([tree], name)) } as never
  const all = Object.entries(tree).map(([inner, below]) => entryOf(inner, below, atOnce))
  const createReader = (): unknown => {
    let at = 0
    return { readEntries: (done: (some: FileSystemEntry[]) => void) => done(all.slice(at, (at += atOnce))) }
  }
  return { name, isDirectory: true, createReader } as never
}

test('every file of a dropped folder comes with its path inside, hidden ones left out', async () => {
  const set = entryOf('set', {
    'corpus.jsonl': '1',
    'queries.jsonl': '2',
    '.DS_Store': 'no',
    qrels: { 'test.tsv': '3', 'train.tsv': '4', '.git': { config: 'no' } },
  })
  const found = await filesBelow(set as FileSystemDirectoryEntry)
  expect(await Promise.all(found.map(async ({ path, file }) => [path, await file.text()]))).toEqual([
    ['corpus.jsonl', '1'],
    ['queries.jsonl', '2'],
    ['qrels/test.tsv', '3'],
    ['qrels/train.tsv', '4'],
  ])
})

test('what the host would refuse is not sent', async () => {
  let deep: Tree | string = 'x'
  for (let depth = 0; depth < 12; depth += 1) deep = { d: deep }
  expect(await filesBelow(entryOf('set', deep) as FileSystemDirectoryEntry)).toEqual([])
  const file = new File([''], 'x')
  const paths = ['a.jsonl', '.hidden', 'b/.git/config', 'a/b/c/d/e/f/g/h', 'a/b/c/d/e/f/g/h/i']
  expect(filesToSend(paths.map((path) => ({ path, file }))).map(({ path }) => path)).toEqual([
    'a.jsonl',
    'a/b/c/d/e/f/g/h',
  ])
})
