import { showToast } from '../parts/toast.tsx'

/** Puts text on the clipboard and says so; says so too where the browser refuses. */
export function copyText(text: string, done: string): void {
  navigator.clipboard.writeText(text).then(
    () => showToast(done),
    () => showToast('The clipboard cannot be reached. Mark the text and copy it by hand.', { tone: 'bad' }),
  )
}
