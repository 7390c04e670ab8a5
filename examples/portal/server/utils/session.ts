import type { H3Event } from 'h3'
import {
  clearUserSession,
  getUserSession,
  getUserSessionId,
} from 'nuxt-oidc-auth/runtime/server/utils/session.js'

type Session = Awaited<ReturnType<typeof getUserSession>>

// A token that is about to end is renewed by whoever looks at it first. Two requests that did so at
// once would spend one refresh token twice, which ends the session at most providers: they queue.
const queues = new Map<string, Promise<unknown>>()

async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(key) ?? Promise.resolve()).then(work, work)
  queues.set(key, turn)
  try {
    return await turn
  } finally {
    if (queues.get(key) === turn) queues.delete(key)
  }
}

/** The session of whoever asks, with the access token; undefined where there is none. */
export async function sessionOf(event: H3Event): Promise<Session | undefined> {
  const id = await getUserSessionId(event)
  try {
    // A copy: the module keeps one object for the whole request, and `session.ts` of the plugins takes
    // the token out of it before it is shown.
    return await inTurn(id, async () => ({ ...(await getUserSession(event)) }))
  } catch {
    return undefined
  }
}

/** Forgets the session and its tokens. */
export async function endSession(event: H3Event): Promise<void> {
  // In turn too: a renewal that is under way would write the tokens down again.
  await inTurn(await getUserSessionId(event), () => clearUserSession(event))
}

/**
 * Ends the session that a browser brings to a sign-in, and forgets its cookie: the module would keep the
 * id, and whoever has a copy of the cookie would be signed in along with it.
 */
export async function leaveSession(event: H3Event): Promise<void> {
  const name = useRuntimeConfig(event).oidc.session.cookieName
  await endSession(event)
  const { headers } = event.node.req
  const kept = (headers.cookie ?? '').split(';').filter((one) => one.split('=')[0]?.trim() !== name)
  headers.cookie = kept.join(';')
}

/** The access token of whoever asks, or the problem that there is none. */
export async function accessTokenOf(event: H3Event): Promise<string> {
  const session = await sessionOf(event)
  if (!session?.accessToken) throw problem({ code: 'SESSION_ENDED' })
  return session.accessToken
}

/** Where this portal is for browsers. */
export function publicOrigin(event: H3Event): string {
  const { redirectUri } = useRuntimeConfig(event).oidc.providers.oidc ?? {}
  return new URL(redirectUri ?? '').origin
}
