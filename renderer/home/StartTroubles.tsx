import type { ReactNode } from 'react'
import { TriangleAlert } from 'lucide-react'
import { useCall } from '../api/queries.ts'
import { TroubleList } from '../parts/TroubleList.tsx'

/** What the start found amiss in the data folder and left as it is. Nothing where all is well. */
export function StartTroubles(): ReactNode {
  const { data } = useCall('system.troubles', {})
  if (data === undefined || data.length === 0) return null
  return (
    <div className="notice notice-warn" role="alert">
      <TriangleAlert className="icon" aria-hidden="true" />
      <div>
        <p className="bold">
          {data.length === 1 ? 'Something in the data folder is' : `${data.length} things in the data folder are`} not
          as Pairlab left {data.length === 1 ? 'it' : 'them'}. Nothing was deleted.
        </p>
        <TroubleList troubles={data} />
      </div>
    </div>
  )
}
