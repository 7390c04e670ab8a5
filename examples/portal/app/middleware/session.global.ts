// Every page but the first needs somebody who is signed in.
export default defineNuxtRouteMiddleware((to) => {
  if (to.path === '/' || to.matched.length === 0) return
  const { loggedIn } = useOidcAuth()
  if (!loggedIn.value) return navigateTo(signInPath(to.fullPath), { external: true })
})
