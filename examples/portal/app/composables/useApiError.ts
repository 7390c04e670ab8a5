import type { ApiError } from '#shared/types/api-error'

/**
 * Returns the API error of a page's request, if it failed, and sets the page's HTTP status accordingly.
 *
 * If the session ends while the page is in use, the browser is redirected to the sign-in. If the page loads
 * without a session, it only offers a sign-in link. Otherwise, a gateway that rejects every new token would
 * cause an endless redirect loop.
 */
export function useApiError(requestError: Ref<unknown>): ComputedRef<ApiError | undefined> {
  const apiError = computed(() => (requestError.value ? toApiError(requestError.value) : undefined))
  const route = useRoute()
  const event = useRequestEvent()
  const app = useNuxtApp()
  const handle = (error: ApiError | undefined) => {
    if (!error) return
    if (event) setResponseStatus(event, (requestError.value as { statusCode?: number }).statusCode ?? 500)
    else if (error.code === 'SESSION_CHANGED') startAfresh()
    else if (error.code === 'SESSION_ENDED' && !app.isHydrating) signInAgain(route.fullPath)
  }
  if (import.meta.server) onServerPrefetch(() => handle(apiError.value))
  watch(apiError, handle, { immediate: true })
  return apiError
}
