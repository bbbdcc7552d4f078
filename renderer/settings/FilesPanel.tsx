import type { ReactNode } from 'react'
import { FileCheck } from 'lucide-react'
import { formatCount } from '../../shared/units.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { TroubleList } from '../parts/TroubleList.tsx'

/** Every file of the data folder compared with what was written. */
export function FilesPanel(): ReactNode {
  const verify = useMutate('system.verify', {})
  const { data } = verify
  return (
    <Panel
      title="Files"
      note="records, labels, runs and checkpoints"
      actions={
        <Button small icon={FileCheck} disabled={verify.isPending} onClick={() => verify.mutate({})}>
          {verify.isPending ? 'Checking …' : 'Check all'}
        </Button>
      }
    >
      <div className="col gap-2" aria-live="polite">
        {verify.error === null ? null : <ErrorNotice error={verify.error} onRetry={() => verify.mutate({})} />}
        {data === undefined ? (
          <p className="small text-3">
            Reads every file and compares it with its fingerprint, the database and its neighbours. Changes nothing; a
            large folder takes minutes, and everything else goes on.
          </p>
        ) : data.troubles.length === 0 ? (
          <Say tone="good">
            All files are as they were written (data sets: {formatCount(data.datasets)}, runs: {formatCount(data.runs)}
            ).
          </Say>
        ) : (
          <Say tone="bad">
            <b>
              {formatCount(data.troubles.length)} {data.troubles.length === 1 ? 'file is' : 'files are'} not as written.
            </b>
            <TroubleList troubles={data.troubles} />
          </Say>
        )}
      </div>
    </Panel>
  )
}
