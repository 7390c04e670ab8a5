// Whatever changes something has to come from a page of this portal. The session's cookie is
// SameSite=Lax, which keeps other sites out; this keeps out other origins of the same site too, and
// signing out by a link from elsewhere.
export default defineEventHandler((event) => {
  const site = getHeader(event, 'sec-fetch-site')
  if (event.path.startsWith('/auth/oidc/logout')) {
    if (site === 'cross-site' || site === 'same-site') throw problem({ code: 'FOREIGN_ORIGIN' })
    return
  }
  if (['GET', 'HEAD', 'OPTIONS'].includes(event.method)) return
  if (getHeader(event, 'origin') !== publicOrigin(event)) throw problem({ code: 'FOREIGN_ORIGIN' })
})
