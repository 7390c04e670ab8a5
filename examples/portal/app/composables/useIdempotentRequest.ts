import type { ApiErrorCode } from '#shared/types/api-error'

// After these errors, the client cannot know whether the change was made.
const UNKNOWN_OUTCOME: ApiErrorCode[] = ['TIMEOUT', 'UNAVAILABLE', 'INTERNAL', 'GATEWAY_UNREACHABLE', 'PORTAL_UNREACHABLE']

/**
 * Returns a function that sends a change with an `Idempotency-Key`. If the outcome of a request is unknown,
 * sending the same change again reuses the key, so the change is made only once. After a definite response, the
 * next request gets a new key. Otherwise, saving the same change again would replay the old error.
 */
export function useIdempotentRequest() {
  let pending: { body: string; key: string } | undefined
  return async (path: string, change: object): Promise<void> => {
    const body = JSON.stringify(change)
    if (pending?.body !== body) pending = { body, key: crypto.randomUUID() }
    const headers = { 'idempotency-key': pending.key }
    try {
      await $fetch(path, { method: 'PATCH', body: change, headers, retry: false })
      pending = undefined
    } catch (error) {
      if (!UNKNOWN_OUTCOME.includes(toApiError(error).code)) pending = undefined
      throw error
    }
  }
}
