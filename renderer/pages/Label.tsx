import type { ReactNode } from 'react'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Loading } from '../parts/states.tsx'

export function Label(): ReactNode {
  useCrumbs([{ label: 'Label' }])
  return <Loading />
}
