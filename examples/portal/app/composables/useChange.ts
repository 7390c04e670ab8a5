import type { ApiError, ApiErrorCode } from '#shared/types/api-error'

// After these errors, the client cannot know whether the change was made.
const UNKNOWN_OUTCOME: ApiErrorCode[] = ['TIMEOUT', 'UNAVAILABLE', 'INTERNAL', 'GATEWAY_UNREACHABLE', 'PORTAL_UNREACHABLE']

export type ChangeMethod = 'POST' | 'PATCH' | 'DELETE'

/**
 * Sends changes with an `Idempotency-Key`, one at a time. If the outcome of a request is unknown, sending the same
 * change again reuses the key, so the change is made only once. After a definite response, the next request gets a new
 * key. Otherwise, saving the same change again would replay the old error.
 */
export function useChange() {
  const isSending = ref(false)
  const error = ref<ApiError>()
  const viewerHeaders = useViewerHeaders()
  let pending: { request: string; key: string } | undefined

  /** Returns the response, or undefined if the change failed or another one is still being sent. */
  async function send<Result extends object>(method: ChangeMethod, path: string, body: object): Promise<Result | undefined> {
    if (isSending.value) return undefined
    isSending.value = true
    error.value = undefined
    const request = JSON.stringify([method, path, body])
    if (pending?.request !== request) pending = { request, key: crypto.randomUUID() }
    const headers = { ...viewerHeaders, 'idempotency-key': pending.key }
    try {
      const result = (await $fetch(path, { method, body, headers, retry: false })) as Result
      pending = undefined
      return result
    } catch (failure) {
      error.value = toApiError(failure)
      if (error.value.code === 'SESSION_CHANGED') startAfresh()
      if (!UNKNOWN_OUTCOME.includes(error.value.code)) pending = undefined
      return undefined
    } finally {
      isSending.value = false
    }
  }

  return { isSending, error, send }
}
