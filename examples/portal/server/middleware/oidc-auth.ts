// Of the module's routes nobody here uses these. Its logout stays where it is when the session is gone, and
// lets whoever made the link say where the provider sends people to afterwards: see `sign-out.get.ts`.
const UNUSED = ['/auth/oidc/logout', '/api/_auth/refresh']

// What has to be so before a route of the module runs.
export default defineEventHandler(async (event) => {
  const path = event.path.split('?')[0]?.replace(/\/+$/, '') ?? ''
  if (UNUSED.includes(path)) throw createError({ statusCode: 404 })
  if (path === '/auth/oidc/callback') {
    // Anything else that comes here is somebody's link: the module would end the session for it.
    if (!(await answersSignIn(event))) return sendRedirect(event, '/')
    await leaveSession(event)
  }
  // Every page asks it first: whatever renews the token there does so in turn.
  if (path === '/api/_auth/session') await sessionOf(event)
})
