import { useCallback, useRef, useState, type ReactNode } from 'react'
import { Eye, PanelRightOpen } from 'lucide-react'
import type { Annotator } from '../../shared/contract/labels.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { useSettings, useViewState } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Say } from '../parts/Say.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { AgreementSection, AnnotatorSection } from './Annotators.tsx'
import { AnswerBar } from './AnswerBar.tsx'
import { AnswerView } from './AnswerView.tsx'
import { isCompared } from './content.ts'
import { DoneState } from './DoneState.tsx'
import { Guideline } from './Guideline.tsx'
import { Habits } from './Habits.tsx'
import { buildKeymap } from './keymap.ts'
import { useLabelCommands } from './label-commands.ts'
import { LabelBar } from './LabelBar.tsx'
import { LastAnswers } from './LastAnswers.tsx'
import { PairView } from './PairView.tsx'
import { PromptView } from './PromptView.tsx'
import { SegmentView } from './segments/SegmentView.tsx'
import { isDone, type Session } from './session.ts'
import { toVerdict, type Verdict } from './verdicts.ts'
import { useLabelSession } from './use-label-session.ts'

interface LabelDeskProps {
  readonly datasetId: DatasetId
  readonly annotator: Annotator
  readonly annotators: readonly Annotator[]
}

const PANEL_FITS_PX = 1180

/** What is marked as chosen: the key just pressed, or the answer given before. */
function chosenIn(session: Session): Verdict | null {
  if (session.answer !== null) return session.answer.verdict
  const { current } = session
  const before = current?.current ?? null
  return current === null || before === null ? null : toVerdict(before.outcome, current.shownOrder)
}

/** One person, one data set: the pair, its answers, and what helps to judge. */
export function LabelDesk({ datasetId, annotator, annotators }: LabelDeskProps): ReactNode {
  const { annotatorId } = annotator
  const [session, store] = useLabelSession(datasetId, annotatorId, { only: 'unlabeled', search: '' })
  const dataset = useCall('datasets.get', { datasetId }).data
  const settings = useSettings()
  const keymap = buildKeymap(settings?.keymap ?? 'pairlab', settings?.keys ?? {})
  const [showDifferences, setShowDifferences] = useViewState<boolean>('label.differences', true)
  const [panelOpen, setPanelOpen] = useViewState<boolean>('label.panel', window.innerWidth >= PANEL_FITS_PX)
  const [noteOpen, setNoteOpen] = useState(false)
  const scroller = useRef<HTMLDivElement>(null)
  const player = useRef<(() => void) | null>(null)
  const registerPlayer = useCallback((toggle: (() => void) | null) => {
    player.current = toggle
  }, [])
  const jump = useRef<HTMLInputElement>(null)
  const search = useRef<HTMLInputElement>(null)
  const focusNote = useCallback((field: HTMLTextAreaElement | null) => field?.focus(), [])
  const chosen = chosenIn(session)
  const { current, failure } = session
  const alone = dataset?.kind === 'unpaired-responses'
  const toggleDifferences = (): void => setShowDifferences(!showDifferences)

  useLabelCommands({
    session,
    store,
    keymap,
    kind: alone ? 'answers' : dataset?.kind === 'segment-pairs' ? 'segments' : 'pairs',
    toggleDifferences,
    toggleGuideline: () => setPanelOpen(!panelOpen),
    toggleNote: () => setNoteOpen((open) => !open),
    focusJump: () => jump.current?.focus(),
    focusSearch: () => search.current?.focus(),
    // Segments do not scroll: the same keys play and pause them.
    scrollBy: (pages) =>
      player.current === null
        ? scroller.current?.scrollBy({ top: pages * scroller.current.clientHeight })
        : player.current(),
  })

  return (
    <div className="page-split">
      <div className="label-work">
        <LabelBar session={session} store={store} keymap={keymap} jumpRef={jump} searchRef={search} />
        {current === null ? (
          isDone(session) ? (
            <DoneState session={session} store={store} datasetId={datasetId} />
          ) : failure === null ? (
            <Loading what="Fetching what to label" />
          ) : (
            <span />
          )
        ) : (
          <>
            <div className="question">
              <div className="row">
                <h1 className="grow">{dataset?.question ?? ' '}</h1>
                {panelOpen ? null : (
                  <Button
                    small
                    icon={PanelRightOpen}
                    keys={keymap.guideline[0]}
                    title="Show the guideline, who labels, and the last answers"
                    onClick={() => setPanelOpen(true)}
                  >
                    Guideline · {annotator.name}
                  </Button>
                )}
                {current.current === null ? null : <Chip tone="accent">answered before; a new answer replaces it</Chip>}
                <Chip
                  title={`Who or what wrote the ${alone ? 'answer' : 'answers'}, scores and others’ labels are not shown${alone ? '' : '; the order is drawn by chance and on record'}.`}
                >
                  <Eye className="icon icon-s" aria-hidden="true" />
                  {alone ? 'Blind' : 'Blind: sides shuffled'}
                </Chip>
              </div>
            </div>
            {current.segments === null ? <PromptView key={current.pairId} prompt={current.prompt} /> : null}
            {current.b === null ? (
              <AnswerView item={current} chosen={chosen} scroller={scroller} />
            ) : current.segments === null && isCompared(current) ? (
              <PairView
                item={current}
                showDifferences={showDifferences}
                chosen={chosen}
                leftKey={keymap.left[0]}
                rightKey={keymap.right[0]}
                differencesKey={keymap.differences[0]}
                scroller={scroller}
                onToggleDifferences={toggleDifferences}
              />
            ) : current.segments === null ? null : (
              <SegmentView
                pairId={current.pairId}
                world={current.segments.world}
                left={current.shownOrder === 'ab' ? current.segments.a : current.segments.b}
                right={current.shownOrder === 'ab' ? current.segments.b : current.segments.a}
                chosen={chosen}
                ghosts={showDifferences}
                leftKey={keymap.left[0]}
                rightKey={keymap.right[0]}
                register={registerPlayer}
              />
            )}
          </>
        )}
        <div>
          {session.progress?.journalTrouble == null ? null : (
            <div className="label-failure">
              <Say tone="warn">
                Your answers are saved and in force. The second copy, the journal beside the records, is behind:{' '}
                {session.progress.journalTrouble} It catches up by itself.
              </Say>
            </div>
          )}
          {failure === null ? null : (
            <div className="label-failure">
              <ErrorNotice error={failure} onRetry={store.retry} />
              {session.answer === null ? null : (
                <p className="small text-2">
                  Your answer is kept here and may not be on disk yet.{' '}
                  <Button small look="quiet" onClick={() => store.dismiss()}>
                    Give it up
                  </Button>
                </p>
              )}
            </div>
          )}
          {current === null ? null : (
            <AnswerBar
              session={session}
              store={store}
              keymap={keymap}
              chosen={chosen}
              noteOpen={noteOpen}
              noteRef={focusNote}
              onNote={() => setNoteOpen((open) => !open)}
            />
          )}
        </div>
        <output className="hidden-visually">{session.announcement}</output>
      </div>
      {panelOpen ? (
        <SidePanel id="label" label="Guideline and habits">
          {dataset === undefined ? null : (
            <Guideline
              datasetId={datasetId}
              guideline={dataset.guideline}
              question={dataset.question}
              keys={keymap.guideline[0]}
            />
          )}
          <AnnotatorSection annotator={annotator} annotators={annotators} />
          {alone ? null : (
            <Habits datasetId={datasetId} annotatorId={annotatorId} texts={dataset?.kind !== 'segment-pairs'} />
          )}
          <AgreementSection datasetId={datasetId} />
          <LastAnswers
            datasetId={datasetId}
            annotatorId={annotatorId}
            alone={alone}
            currentId={current?.pairId ?? null}
            onOpen={(pairId) => void store.goTo(pairId)}
          />
        </SidePanel>
      ) : null}
    </div>
  )
}
