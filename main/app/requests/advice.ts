/** What a person should know before starting a run. */
export interface Advice {
  readonly level: 'info' | 'warning'
  readonly text: string
}
