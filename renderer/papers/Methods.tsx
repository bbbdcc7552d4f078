import type { ReactNode } from 'react'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { Panel } from '../parts/Panel.tsx'
import { Chip } from '../parts/Chip.tsx'

/** A method as the paper has it: loss, source, where we differ, and what each metric means. */
export function Methods({ algorithms }: { readonly algorithms: readonly AlgorithmInfo[] }): ReactNode {
  return (
    <div className="two">
      {algorithms.map((algorithm) => (
        <Panel key={algorithm.id} title={algorithm.name} actions={<Chip>{algorithm.role.replace('-', ' ')}</Chip>}>
          <div className="col gap-3">
            <p className="small text-2">
              {algorithm.paper.cite} <code>{algorithm.paper.url.replace('https://', '')}</code>
            </p>
            <p className="small text-2">
              Learns from {KIND_WORDS[algorithm.data].items};{' '}
              {algorithm.needsReference ? 'compares with a reference policy' : 'needs no reference policy'}.
            </p>
            <pre className="equation">{algorithm.equation}</pre>
            {algorithm.deviations.length === 0 ? null : (
              <ul className="deviations small text-2">
                {algorithm.deviations.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            )}
            <details className="small">
              <summary>What it logs</summary>
              <dl className="glossary">
                {algorithm.metrics.map((metric) => (
                  <div key={metric.name}>
                    <dt className="mono">{metric.name}</dt>
                    <dd className="text-2">{metric.help}</dd>
                  </div>
                ))}
              </dl>
            </details>
          </div>
        </Panel>
      ))}
    </div>
  )
}
