import type { ReactNode } from 'react'
import { FileText } from 'lucide-react'
import { Button } from '../../parts/Button.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { openImport } from './open-import.ts'

/** Where nothing tells what it is: the files of a folder, or the kinds to choose among. */
export function UnknownImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const { path, files } = choice.found
  return (
    <ImportFrame choice={choice} reading={null}>
      {files.length === 0 ? null : (
        <Panel title="Files in this folder" note="each is imported by itself">
          <div className="row wrap">
            {files.map((name) => (
              <Button key={name} small icon={FileText} onClick={() => openImport(`${path}/${name}`)}>
                {name}
              </Button>
            ))}
          </div>
        </Panel>
      )}
    </ImportFrame>
  )
}
