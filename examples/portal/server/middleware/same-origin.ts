import type { H3Event } from 'h3'

// Far larger than any form of this portal.
const MAX_BODY_BYTES = 64 * 1024

// Runs before the body is read, because a body is buffered in memory as a whole.
function rejectLargeBodies(event: H3Event): void {
  const length = Number(getHeader(event, 'content-length') ?? 0)
  if (getHeader(event, 'transfer-encoding') || length > MAX_BODY_BYTES) throw createError({ statusCode: 413 })
}

// Requests that change something must come from a page of this portal. The session cookie is SameSite=Lax, which
// keeps out other sites. This check also keeps out other origins of the same site. GET routes that change
// something check their source themselves: see `sign-out.get.ts` and `oidc-auth.ts`.
export default defineEventHandler((event) => {
  rejectLargeBodies(event)
  if (['GET', 'HEAD', 'OPTIONS'].includes(event.method)) return
  if (getHeader(event, 'origin') !== publicOrigin(event)) throw createApiError({ code: 'ORIGIN_NOT_ALLOWED' })
})
