import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { QueryClientProvider } from '@tanstack/react-query'
import { App } from './App.tsx'
import { followEvents } from './api/events.ts'
import { queryClient } from './api/queries.ts'
import { applyTheme } from './frame/theme.ts'
import { invariant } from '../shared/assert.ts'
import './style/tokens.css'
import './style/base.css'
import './style/parts.css'
import './style/frame.css'
import './style/forced-colors.css'

applyTheme('system')
followEvents(queryClient)

const root = document.getElementById('root')
invariant(root !== null, 'index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
