import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useCrumbs } from '../frame/crumbs.tsx'
import { EmptyState } from '../parts/states.tsx'

export function Run(): ReactNode {
  useCrumbs([{ label: 'Pairlab', href: '/' }, { label: 'Run' }])
  return <EmptyState title="This page is not built yet" text="Its work can be done from the command line: pairlab --help." action={<Link className="btn btn-normal" href="/label">Label pairs</Link>} />
}
