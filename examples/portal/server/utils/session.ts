import { createHmac } from 'node:crypto'
import type { H3Event } from 'h3'
import {
  clearUserSession,
  getUserSession,
  getUserSessionId,
} from 'nuxt-oidc-auth/runtime/server/utils/session.js'

type Session = Awaited<ReturnType<typeof getUserSession>>

// The first request that reads a session with an expiring token renews the token. Two concurrent renewals would
// use the same refresh token twice, and most providers end the session in response. So access to a session is
// serialized.
const queues = new Map<string, Promise<unknown>>()

async function runExclusive<T>(sessionId: string, task: () => Promise<T>): Promise<T> {
  const run = (queues.get(sessionId) ?? Promise.resolve()).then(task, task)
  queues.set(sessionId, run)
  try {
    return await run
  } finally {
    if (queues.get(sessionId) === run) queues.delete(sessionId)
  }
}

/** Returns the session of the request with its access token, or undefined if there is none. Renews the token. */
export async function readSession(event: H3Event): Promise<Session | undefined> {
  const id = await getUserSessionId(event)
  try {
    // A copy, because the module shares one object per request and `plugins/session-filter.ts` removes the token
    // from it before it is sent to the browser.
    return await runExclusive(id, async () => ({ ...(await getUserSession(event)) }))
  } catch {
    return undefined
  }
}

// The live operations of each session.
const liveOperations = new Map<string, Set<AbortController>>()

/** Makes a live operation of the request's session stop when the session ends. */
export async function stopWithSession(event: H3Event, stop: AbortController): Promise<void> {
  const id = await getUserSessionId(event)
  const operations = liveOperations.get(id) ?? new Set()
  liveOperations.set(id, operations.add(stop))
  stop.signal.addEventListener('abort', () => {
    operations.delete(stop)
    if (operations.size === 0) liveOperations.delete(id)
  })
}

/** Deletes the session and its tokens, and stops its live operations. */
export async function endSession(event: H3Event): Promise<void> {
  const id = await getUserSessionId(event)
  // Serialized as well, because a renewal in progress would store the tokens again.
  await runExclusive(id, () => clearUserSession(event))
  for (const stop of [...(liveOperations.get(id) ?? [])]) stop.abort()
}

/**
 * Ends the session that a browser already has when it signs in, and removes its cookie from the request. The
 * module would otherwise reuse the session ID, and a copy of the old cookie would be valid for the new session
 * (session fixation).
 */
export async function discardIncomingSession(event: H3Event): Promise<void> {
  const name = useRuntimeConfig(event).oidc.session.cookieName
  await endSession(event)
  const { headers } = event.node.req
  const remaining = (headers.cookie ?? '').split(';').filter((cookie) => cookie.split('=')[0]?.trim() !== name)
  headers.cookie = remaining.join(';')
}

/**
 * Returns an opaque key of the session's user. A page sends it with every request. It differs between users, stays the
 * same when a user signs in again, and does not reveal the subject.
 */
export function viewerKey(session: { claims?: Record<string, unknown> }): string {
  const secret = process.env.NUXT_OIDC_SESSION_SECRET ?? ''
  return createHmac('sha256', secret).update(`viewer ${String(session.claims?.sub)}`).digest('base64url').slice(0, 22)
}

/**
 * Returns the access token of the request's session. Throws `SESSION_ENDED` if there is none, and `SESSION_CHANGED` if
 * the page that sends the request was rendered for another user. Another user has signed in in another tab since then.
 * An event source cannot set the header, so it sends the key of the page's user as a parameter.
 */
export async function requireAccessToken(event: H3Event, viewer?: string): Promise<string> {
  const session = await readSession(event)
  if (!session?.accessToken) throw createApiError({ code: 'SESSION_ENDED' })
  const expectedKey = viewer ?? getHeader(event, 'x-portal-viewer')
  if (expectedKey && expectedKey !== viewerKey(session)) throw createApiError({ code: 'SESSION_CHANGED' })
  return session.accessToken
}

/** Returns the origin under which browsers reach this portal. */
export function publicOrigin(event: H3Event): string {
  const { redirectUri } = useRuntimeConfig(event).oidc.providers.oidc ?? {}
  return new URL(redirectUri ?? '').origin
}
