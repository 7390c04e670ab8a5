export interface StatusMessage {
  text: string
  tone: 'success' | 'danger'
}

/**
 * Returns the status message of the last change. The layout displays it until the next navigation. A live region reads
 * it to the users of screen readers.
 */
export function useStatusMessage() {
  const message = useState<StatusMessage | undefined>('status-message', () => undefined)
  const announce = (text: string, tone: StatusMessage['tone'] = 'success') => {
    message.value = { text, tone }
  }
  const clear = () => {
    message.value = undefined
  }
  return { message, announce, clear }
}
