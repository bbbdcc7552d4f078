import { Component, type ReactNode } from 'react'
import { ErrorNotice } from '../parts/states.tsx'

interface Props {
  /** A change clears the error: another page may work. */
  readonly path: string
  readonly children: ReactNode
}

interface State {
  readonly error: unknown
  readonly path: string
}

/** A page that breaks while drawing must not take the window with it. */
export class PageBoundary extends Component<Props, State> {
  override state: State = { error: null, path: this.props.path }

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error }
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.path === state.path ? null : { path: props.path, error: null }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    return (
      <div className="page">
        <ErrorNotice error={this.state.error} onRetry={() => this.setState({ error: null })} />
      </div>
    )
  }
}
