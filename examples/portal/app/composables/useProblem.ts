import type { Problem } from '#shared/types/problem'

/** Where to sign in and come back to this very page. */
export function signInPath(to: string): string {
  return `/sign-in?to=${encodeURIComponent(to)}`
}

/**
 * What is wrong with a request of this page, if anything. The page's own status says so too. A session
 * that has ended in mid-use leads to the sign-in; a page that begins so offers it, and no more: where the
 * gateway refuses each new token, nobody is sent round in a circle.
 */
export function useProblem(error: Ref<unknown>): ComputedRef<Problem | undefined> {
  const problem = computed(() => (error.value ? problemIn(error.value) : undefined))
  const route = useRoute()
  const event = useRequestEvent()
  const app = useNuxtApp()
  const act = (now: Problem | undefined) => {
    if (!now) return
    if (event) setResponseStatus(event, (error.value as { statusCode?: number }).statusCode ?? 500)
    else if (now.code === 'SESSION_ENDED' && !app.isHydrating) void navigateTo(signInPath(route.fullPath), { external: true })
  }
  if (import.meta.server) onServerPrefetch(() => act(problem.value))
  watch(problem, act, { immediate: true })
  return problem
}
