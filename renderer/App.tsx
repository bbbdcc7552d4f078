import { Suspense, lazy, type ComponentType, type LazyExoticComponent, type ReactNode } from 'react'
import { Route, Router, Switch, useLocation } from 'wouter'
import { Frame } from './frame/Frame.tsx'
import { useHashPath } from './frame/location.ts'
import { PageBoundary } from './frame/PageBoundary.tsx'
import { EmptyState, Loading } from './parts/states.tsx'

/** React's lazy() wants a default export; the pages have names. */
function page<Name extends string>(
  load: () => Promise<Record<Name, ComponentType>>,
  name: Name,
): LazyExoticComponent<ComponentType> {
  return lazy(async () => ({ default: (await load())[name] }))
}

const Home = page(() => import('./pages/Home.tsx'), 'Home')
const Data = page(() => import('./pages/Data.tsx'), 'Data')
const Models = page(() => import('./pages/Models.tsx'), 'Models')
const Label = page(() => import('./pages/Label.tsx'), 'Label')
const Train = page(() => import('./pages/Train.tsx'), 'Train')
const Runs = page(() => import('./pages/Runs.tsx'), 'Runs')
const Run = page(() => import('./pages/Run.tsx'), 'Run')
const Compare = page(() => import('./pages/Compare.tsx'), 'Compare')
const Match = page(() => import('./pages/Match.tsx'), 'Match')
const Matches = page(() => import('./pages/Matches.tsx'), 'Matches')
const Paper = page(() => import('./pages/Paper.tsx'), 'Paper')
const Playground = page(() => import('./pages/Playground.tsx'), 'Playground')
const Papers = page(() => import('./pages/Papers.tsx'), 'Papers')
const Settings = page(() => import('./pages/Settings.tsx'), 'Settings')

function Pages(): ReactNode {
  const [path] = useLocation()
  return (
    <PageBoundary path={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/" component={Home} />
          <Route path="/data/:datasetId?" component={Data} />
          <Route path="/models/:modelId?" component={Models} />
          <Route path="/label/:datasetId?" component={Label} />
          <Route path="/train" component={Train} />
          <Route path="/runs" component={Runs} />
          <Route path="/runs/:runId" component={Run} />
          <Route path="/compare" component={Compare} />
          <Route path="/matches" component={Matches} />
          <Route path="/matches/:matchId" component={Match} />
          <Route path="/playground" component={Playground} />
          <Route path="/papers" component={Papers} />
          <Route path="/papers/:id" component={Paper} />
          <Route path="/settings" component={Settings} />
          <Route>
            <EmptyState
              page
              title="There is no such page"
              text={<code>{path}</code>}
              action={
                <a className="btn btn-normal" href="#/">
                  Go to Home
                </a>
              }
            />
          </Route>
        </Switch>
      </Suspense>
    </PageBoundary>
  )
}

export function App(): ReactNode {
  return (
    <Router hook={useHashPath}>
      <Frame>
        <Pages />
      </Frame>
    </Router>
  )
}
