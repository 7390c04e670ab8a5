/**
 * Returns a function that fetches again. Calls during a fetch cause one more, so that many changes at once do not cause
 * many requests, and the last one is never missed.
 */
export function useReload(fetchAgain: () => Promise<unknown>) {
  let running = false
  let isPending = false
  return async () => {
    isPending = true
    if (running) return
    running = true
    while (isPending) {
      isPending = false
      await fetchAgain()
    }
    running = false
  }
}
