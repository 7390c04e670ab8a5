import type { ProblemCode } from '#shared/types/problem'

// After these nobody knows whether it was done.
const UNDECIDED: ProblemCode[] = ['TIMEOUT', 'UNAVAILABLE', 'INTERNAL', 'GATEWAY_AWAY', 'PORTAL_AWAY']

/**
 * Sends changes so that one that is sent again, because nobody knows whether it was done, is done once. An
 * answer ends that: whoever saves the same after a refusal asks anew, and is not told the old refusal again.
 */
export function useOnce() {
  let last: { body: string; key: string } | undefined
  return async (path: string, change: object): Promise<void> => {
    const body = JSON.stringify(change)
    if (last?.body !== body) last = { body, key: crypto.randomUUID() }
    const headers = { 'idempotency-key': last.key }
    try {
      await $fetch(path, { method: 'PATCH', body: change, headers, retry: false })
      last = undefined
    } catch (error) {
      if (!UNDECIDED.includes(problemIn(error).code)) last = undefined
      throw error
    }
  }
}
