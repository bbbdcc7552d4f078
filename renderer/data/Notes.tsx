import type { ReactNode } from 'react'
import { StickyNote } from 'lucide-react'

/** What people wrote beside their answers. Nothing where nobody did. */
export function Notes({
  labels,
}: {
  readonly labels: readonly { readonly annotator: string; readonly comment: string }[]
}): ReactNode {
  const noted = labels.filter(({ comment }) => comment !== '')
  if (noted.length === 0) return null
  return (
    <ul className="notes plain-list" aria-label="Notes">
      {noted.map(({ annotator, comment }) => (
        <li key={annotator} className="row">
          <StickyNote className="icon icon-s text-3" aria-hidden="true" />
          <span className="small text-3 nowrap">{annotator}</span>
          <span className="content-text">{comment}</span>
        </li>
      ))}
    </ul>
  )
}
