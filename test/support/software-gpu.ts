import { existsSync } from 'node:fs'

/** Chromium brings a Vulkan driver that emulates a graphics card, and the loader for it. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']
const folder = FOLDERS.find((one) => existsSync(`${one}/vk_swiftshader_icd.json`))

/** Environment in which Dawn finds that driver; null where there is no Chromium with it. */
export const softwareGpu: Readonly<Record<string, string>> | null =
  folder === undefined
    ? null
    : {
        VK_ICD_FILENAMES: `${folder}/vk_swiftshader_icd.json`,
        LD_LIBRARY_PATH: [folder, process.env['LD_LIBRARY_PATH'] ?? ''].filter((part) => part !== '').join(':'),
      }
