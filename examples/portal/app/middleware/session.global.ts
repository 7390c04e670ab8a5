declare module '#app' {
  interface PageMeta {
    /** For everybody: signed in or not. */
    open?: boolean
  }
}

// Every other page needs somebody who is signed in.
export default defineNuxtRouteMiddleware((to) => {
  const { loggedIn } = useOidcAuth()
  if (!to.meta.open && !loggedIn.value) return navigateTo(signInPath(to.fullPath), { external: true })
})
