/**
 * Sends changes so that the same one is done once, however often it is sent: after a time limit or a lost
 * connection nobody knows whether it was done. Another change has another key.
 */
export function useOnce() {
  let last = { body: '', key: '' }
  return async (path: string, change: object): Promise<void> => {
    const body = JSON.stringify(change)
    if (body !== last.body) last = { body, key: crypto.randomUUID() }
    await $fetch(path, { method: 'PATCH', body: change, headers: { 'idempotency-key': last.key }, retry: false })
  }
}
