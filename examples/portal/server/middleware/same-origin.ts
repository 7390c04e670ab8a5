import type { H3Event } from 'h3'

// Far more than any form here has.
const LONGEST_BODY = 64 * 1024

// Before anything reads it: a body is kept in memory as a whole.
function refuseLongBodies(event: H3Event): void {
  const length = Number(getHeader(event, 'content-length') ?? 0)
  if (getHeader(event, 'transfer-encoding') || length > LONGEST_BODY) throw createError({ statusCode: 413 })
}

// Whatever changes something has to come from a page of this portal. The session's cookie is
// SameSite=Lax, which keeps other sites out; this keeps out other origins of the same site too. What a
// link can change looks at where it comes from by itself: `sign-out.get.ts`, `oidc-auth.ts`.
export default defineEventHandler((event) => {
  refuseLongBodies(event)
  if (['GET', 'HEAD', 'OPTIONS'].includes(event.method)) return
  if (getHeader(event, 'origin') !== publicOrigin(event)) throw problem({ code: 'FOREIGN_ORIGIN' })
})
