import type { UseFetchOptions } from '#app'

/**
 * Fetches from a route of the portal's API, as `useFetch` does, for the user of this page. Does not wait for the
 * response in the browser, where the page shows a skeleton. On the server, await it to wait, and await several with
 * `Promise.all`, so that they run in parallel.
 */
export function useApi<Data>(path: string | (() => string), options: UseFetchOptions<Data> = {}) {
  return useFetch(path, { lazy: true, headers: useViewerHeaders(), ...options } as object) as ReturnType<typeof useFetch<Data>>
}
