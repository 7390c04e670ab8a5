import type { Viewer } from '#shared/types/api'

/** Returns the key of the user in whose session the server rendered this page, or undefined without a session. */
export function useViewerKey(): string | undefined {
  const { user } = useOidcAuth()
  return (user.value as { viewerKey?: string } | undefined)?.viewerKey
}

/** Returns the headers of every request of a page: a session of another user must not answer it. */
export function useViewerHeaders(): Record<string, string> {
  const key = useViewerKey()
  return key ? { 'x-portal-viewer': key } : {}
}

/** Returns the name and rights of the signed-in user. They are fetched again at each navigation. */
export function useViewer() {
  const { loggedIn } = useOidcAuth()
  const route = useRoute()
  const { data, refresh } = useApi<Viewer>('/api/viewer', { key: 'viewer', immediate: loggedIn.value })
  watch(
    () => route.path,
    () => loggedIn.value && refresh(),
  )
  const changes = useViewerChanges()
  const { hasStarted } = useLiveChanges('viewer', () => (loggedIn.value ? '' : undefined), () => {
    changes.value += 1
    void refresh()
  })
  const isLive = useViewerLive()
  watch(hasStarted, () => {
    isLive.value = true
    void refresh()
  })
  return data
}

/** Returns the number of changes of the viewer's rights and memberships. A page that depends on them watches it. */
export const useViewerChanges = () => useState('viewer-changes', () => 0)
