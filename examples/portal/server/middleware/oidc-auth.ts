// Routes of nuxt-oidc-auth that this portal does not use. Without a session, the module's logout route does not
// contact the provider. It also takes the provider's redirect URI from the link. `sign-out.get.ts` replaces it.
const DISABLED_ROUTES = ['/auth/oidc/logout', '/api/_auth/refresh']

// Runs before the routes of nuxt-oidc-auth.
export default defineEventHandler(async (event) => {
  const path = event.path.split('?')[0]?.replace(/\/+$/, '') ?? ''
  if (DISABLED_ROUTES.includes(path)) throw createError({ statusCode: 404 })
  if (path === '/auth/oidc/callback') {
    // Any other request to the callback is not the result of a sign-in in this browser, for example a forged
    // link. The module would end the session for it.
    if (!(await isSignInCallback(event))) return sendRedirect(event, '/')
    await discardIncomingSession(event)
  }
  // Every page requests this route first. Reading the session here makes the renewal of its token serialized.
  if (path === '/api/_auth/session') await readSession(event)
})
