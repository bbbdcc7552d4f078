import type { ReactNode } from 'react'
import { useCall } from '../api/queries.ts'
import { changeSettings, useSettings } from '../api/settings.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Field } from '../parts/Field.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { formatBytes } from '../../shared/units.ts'
import { ComputePanel } from '../settings/ComputePanel.tsx'
import { AwakeChoice } from '../settings/AwakeChoice.tsx'
import { FilesPanel } from '../settings/FilesPanel.tsx'
import { NoticeChoice } from '../settings/NoticeChoice.tsx'
import { KeySettings } from '../settings/KeySettings.tsx'
import { TrashPanel } from '../settings/TrashPanel.tsx'
import '../settings/settings.css'

export function Settings(): ReactNode {
  const settings = useSettings()
  const { data: info, error, refetch } = useCall('system.info', {})
  useCrumbs([{ label: 'Settings' }])
  if (error !== null)
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (settings === undefined || info === undefined) return <Loading what="Reading the settings" />
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Settings</h1>
          <p className="text-2">Kept in the data folder, so that they move with it.</p>
        </div>
      </header>
      <ComputePanel />
      <TrashPanel />
      <div className="two">
        <div className="col gap-4">
          <Panel title="Appearance">
            <Segmented
              title="Theme"
              value={settings.theme}
              choices={[
                { value: 'system', label: 'Follow the system' },
                { value: 'light', label: 'Light' },
                { value: 'dark', label: 'Dark' },
              ]}
              onChange={(theme) => changeSettings({ theme })}
            />
          </Panel>
          <Panel title="Runs">
            <div className="col gap-4">
              <div className="col gap-1">
                <b className="small">When Pairlab is closed</b>
                <Segmented
                  title="When Pairlab is closed"
                  value={settings.onQuit}
                  choices={[
                    { value: 'continue', label: 'Runs go on' },
                    { value: 'checkpoint', label: 'Save a checkpoint and stop' },
                  ]}
                  onChange={(onQuit) => changeSettings({ onQuit })}
                />
                <span className="small text-3">
                  {settings.onQuit === 'continue'
                    ? 'Training needs no window. The next start finds the runs where they are.'
                    : 'Each run writes a checkpoint and ends. It can be resumed, and goes on exactly where it stopped.'}
                </span>
              </div>
              <Field
                name="Runs at the same time"
                help={`This machine has ${info.cpuCount} processor cores; each run uses all of them unless it is given a number of threads.`}
                render={(control) => (
                  <input
                    {...control}
                    className="input mono"
                    type="number"
                    min={1}
                    max={64}
                    value={settings.slots}
                    onChange={(event) => {
                      const slots = event.target.valueAsNumber
                      if (slots >= 1 && slots <= 64) changeSettings({ slots })
                    }}
                  />
                )}
              />
              <AwakeChoice awakeBy={info.awakeBy} />
              <NoticeChoice />
            </div>
          </Panel>
          <KeySettings />
        </div>
        <div className="col gap-4">
          <Panel title="Data folder">
            <dl className="facts">
              <div>
                <dt>Folder</dt>
                <dd className="mono">{info.dataFolder}</dd>
              </div>
              <div>
                <dt>Used</dt>
                <dd className="mono">{formatBytes(info.dataBytes)}</dd>
              </div>
              <div>
                <dt>Free on that disk</dt>
                <dd className="mono">{formatBytes(info.diskFreeBytes)}</dd>
              </div>
            </dl>
            <p className="small text-3 note-below">
              To use another folder, start Pairlab with <code>--data-dir</code> or set <code>PAIRLAB_DATA</code>.
            </p>
          </Panel>
          <FilesPanel />
          <Panel title="Connections" note="everything the app can reach">
            <ul className="col plain-list small">
              {info.connections.map((line) => (
                <li key={line} className="text-2">
                  {line}
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title="Versions">
            <dl className="facts">
              <div>
                <dt>Pairlab</dt>
                <dd className="mono">{info.appVersion}</dd>
              </div>
              <div>
                <dt>Electron</dt>
                <dd className="mono">{info.electronVersion ?? 'none: shown in a browser'}</dd>
              </div>
              <div>
                <dt>Node</dt>
                <dd className="mono">{info.nodeVersion}</dd>
              </div>
              <div>
                <dt>SQLite</dt>
                <dd className="mono">{info.sqliteVersion}</dd>
              </div>
              <div>
                <dt>Platform</dt>
                <dd className="mono">{info.platform}</dd>
              </div>
              <div>
                <dt>Processor</dt>
                <dd className="mono">
                  {info.cpuModel}, {info.cpuCount} cores
                </dd>
              </div>
              <div>
                <dt>Memory</dt>
                <dd className="mono">{formatBytes(info.memoryBytes)}</dd>
              </div>
            </dl>
          </Panel>
        </div>
      </div>
    </div>
  )
}
