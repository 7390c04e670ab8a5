import type { TenantPage } from '#shared/types/api'

/**
 * Searches tenants as the user types. `page` is the response to the current search, and undefined while it is loading
 * and after a failure. A response to an earlier search is discarded.
 */
export function useTenantSearch() {
  const search = ref('')
  const page = ref<TenantPage>()
  const failure = ref<unknown>()
  const error = useApiError(failure)
  const headers = useViewerHeaders()
  let request: AbortController | undefined

  function cancel(): void {
    request?.abort()
    request = undefined
  }
  async function load(): Promise<void> {
    cancel()
    const current = (request = new AbortController())
    page.value = failure.value = undefined
    try {
      const query = { search: search.value }
      const found = await $fetch<TenantPage>('/api/tenants', { query, headers, signal: current.signal })
      if (request === current) page.value = found
    } catch (exception) {
      if (request === current) failure.value = exception
    }
  }

  return { search, page, error, load, cancel }
}
