import { useEffect, useState, type ReactNode } from 'react'
import { FileDown } from 'lucide-react'
import { asAppError } from '../api/client.ts'
import { showToast } from '../parts/toast.tsx'
import { importDrop } from '../data/import/open-import.ts'

function holdsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true
}

async function importDropped(transfer: DataTransfer): Promise<void> {
  try {
    await importDrop(transfer)
  } catch (error) {
    const { message, hint } = asAppError(error)
    showToast(`${message} ${hint}`, { tone: 'bad' })
  }
}

/** A file or a folder dropped anywhere on the window opens its import preview. Without this the browser would leave the app for it. */
export function DropTarget(): ReactNode {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const onDragOver = (event: DragEvent): void => {
      if (!holdsFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false) // it left the window, not just a part of the page
    }
    const onDrop = (event: DragEvent): void => {
      setOver(false)
      if (!holdsFiles(event) || event.defaultPrevented) return
      event.preventDefault()
      if (event.dataTransfer !== null) void importDropped(event.dataTransfer)
    }
    window.addEventListener('dragover', onDragOver)
    window.addEventListener('dragleave', onDragLeave)
    window.addEventListener('drop', onDrop)
    return () => {
      window.removeEventListener('dragover', onDragOver)
      window.removeEventListener('dragleave', onDragLeave)
      window.removeEventListener('drop', onDrop)
    }
  }, [])
  if (!over) return null
  return (
    <div className="drop-target" aria-hidden="true">
      <p>
        <FileDown className="icon" /> Drop it to look at it before importing
      </p>
    </div>
  )
}
