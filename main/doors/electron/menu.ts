import { Menu, type MenuItemConstructorOptions } from 'electron'

const PAGES = [
  ['Home', '/'],
  ['Data', '/data'],
  ['Models', '/models'],
  ['Label', '/label'],
  ['Train', '/train'],
  ['Runs', '/runs'],
  ['Compare', '/compare'],
  ['Playground', '/playground'],
  ['Papers', '/papers'],
  ['Settings', '/settings'],
] as const

/** @param goTo shows a page  @param importFile opens the file dialog and the import page */
export function setMenu(goTo: (path: string) => void, importFile: () => void): void {
  const isMac = process.platform === 'darwin'
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'File',
      submenu: [
        { label: 'Import a file…', accelerator: 'CmdOrCtrl+O', click: importFile },
        { type: 'separator' },
        isMac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'Go',
      submenu: PAGES.map(([label, path], index) => ({
        label,
        accelerator: `CmdOrCtrl+${index + 1}`,
        click: () => goTo(path),
      })),
    },
    {
      label: 'View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
