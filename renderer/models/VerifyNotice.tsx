import type { ReactNode } from 'react'
import type { ModelDetail } from '../../shared/contract/models.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'

/** Files that are gone or not what they were, with what to do. */
export function VerifyNotice({ model }: { readonly model: ModelDetail }): ReactNode {
  const verify = useMutate('models.verify', { invalidate: ['models.get', 'models.list'] })
  if (verify.error !== null)
    return <ErrorNotice error={verify.error} onRetry={() => verify.mutate({ modelId: model.modelId })} />
  if (model.trouble === null) return null
  return (
    <div className="row model-trouble" role="alert">
      <span className="grow">
        <Say tone={model.state === 'missing' ? 'bad' : 'warn'}>
          <b>{model.trouble.message}</b> {model.trouble.hint}
        </Say>
      </span>
      {model.state === 'changed' ? (
        <Button disabled={verify.isPending} onClick={() => verify.mutate({ modelId: model.modelId })}>
          {verify.isPending ? 'Reading every byte …' : 'Verify'}
        </Button>
      ) : null}
    </div>
  )
}
