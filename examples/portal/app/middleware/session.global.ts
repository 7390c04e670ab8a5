declare module '#app' {
  interface PageMeta {
    /** Whether the page is also available without a sign-in. */
    public?: boolean
  }
}

// Every page requires a session unless it is marked as public.
export default defineNuxtRouteMiddleware((to) => {
  const { loggedIn } = useOidcAuth()
  if (!to.meta.public && !loggedIn.value) return navigateTo(signInPath(to.fullPath), { external: true })
})
