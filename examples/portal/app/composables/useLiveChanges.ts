import type { ApiError } from '#shared/types/api-error'

export interface LiveChange {
  kind: 'CREATED' | 'UPDATED' | 'DELETED'
  tenant?: { version?: number } | null
}

// The browser connects again by itself after an interruption, but not after a response that is no event stream, for
// example of a proxy.
const RETRY_MS = 3_000

/**
 * Calls `onChange` for each change that the gateway reports, without an argument if some may be missing. Starts in the
 * browser as soon as `id` is known, and resumes after an interruption. `end` is the error that has ended the operation:
 * the viewer has lost the right to it. `hasStarted` says that no later change is missed.
 */
export function useLiveChanges(
  operation: 'tenant' | 'subscription' | 'tenants' | 'viewer',
  id: () => string | undefined,
  onChange: (change?: LiveChange) => void,
) {
  const end = ref<ApiError>()
  const viewer = useViewerKey()
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let cursor = ''
  const hasStarted = ref(false)

  function stop(): void {
    clearTimeout(timer)
    source?.close()
  }
  function finish(error: ApiError): void {
    stop()
    if (error.code === 'SESSION_CHANGED') startAfresh()
    // The next request of the page starts a sign-in. Until then, its user can finish reading.
    else if (error.code !== 'SESSION_ENDED' && error.code !== 'UNAUTHENTICATED') end.value = error
  }
  function start(target: string): void {
    stop()
    const query = new URLSearchParams({ id: target, viewer: viewer ?? '', since: cursor })
    const opened = (source = new EventSource(`/api/live/${operation}?${query}`))
    opened.addEventListener('ready', () => {
      if (hasStarted.value && !cursor) onChange()
      hasStarted.value = true
    })
    opened.addEventListener('change', ({ data, lastEventId }) => {
      cursor = lastEventId
      const change = JSON.parse(data) as LiveChange
      if (operation === 'tenant' && change.kind === 'DELETED') finish({ code: 'NOT_FOUND' })
      else onChange(change)
    })
    opened.addEventListener('gap', () => onChange())
    opened.addEventListener('end', ({ data }) => finish(JSON.parse(data) as ApiError))
    opened.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) timer = setTimeout(() => start(target), RETRY_MS)
    }
  }

  // A failed request of the page makes the identifier unknown again. The operation then says why.
  onMounted(() => watch(id, (target) => target !== undefined && start(target), { immediate: true }))
  onUnmounted(stop)
  return { end, hasStarted }
}

/** Returns whether the live operation of the viewer has started. */
export const useViewerLive = () => useState('viewer-live', () => false)

/**
 * Fetches again once all live operations of a page and that of the viewer have started. A change that was made between
 * the rendering of the page and their start is no event.
 */
export function useCatchUp(operations: { hasStarted: Ref<boolean> }[], fetchAgain: () => unknown) {
  const viewerLive = useViewerLive()
  const isLive = computed(() => viewerLive.value && operations.every(({ hasStarted }) => hasStarted.value))
  onMounted(() => watch(isLive, (live) => live && fetchAgain()))
}
