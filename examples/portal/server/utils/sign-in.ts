import { randomBytes } from 'node:crypto'
import type { H3Event } from 'h3'
import { useAuthSession } from 'nuxt-oidc-auth/runtime/server/utils/session.js'

const COOKIE = 'portal-sign-in'
const MAX_AGE_MINUTES = 10

const cookieOptions = {
  path: '/',
  httpOnly: true,
  sameSite: 'lax',
  secure: !import.meta.dev,
  maxAge: MAX_AGE_MINUTES * 60,
} as const

/** A sign-in that was started and not completed. */
interface PendingSignIn {
  nonce: string
  /** The path to return to. */
  to: string
}

/**
 * Returns a path of this portal, or `/` for anything else. `//` and `/\` are rejected: browsers read them as a host. So is
 * a path that becomes one of them without its dot segments.
 */
export function safeReturnPath(to: unknown): string {
  if (typeof to !== 'string' || !/^\/(?![/\\])[^\\\s]*$/.test(to)) return '/'
  return new URL(to, 'https://portal.invalid').pathname.startsWith('//') ? '/' : to
}

/** Stores a new pending sign-in in a cookie and returns its nonce. */
export function startSignIn(event: H3Event, to: string): string {
  const nonce = randomBytes(24).toString('base64url')
  setCookie(event, COOKIE, JSON.stringify({ nonce, to } satisfies PendingSignIn), cookieOptions)
  return nonce
}

/** Returns the pending sign-in of this browser, if it has one. */
export function readPendingSignIn(event: H3Event): PendingSignIn | undefined {
  const [nonce, to] = parseSignInCookie(getCookie(event, COOKIE))
  return typeof nonce === 'string' ? { nonce, to: safeReturnPath(to) } : undefined
}

/** Returns whether the request is the provider's response, success or error, to the pending sign-in of this browser. */
export async function isSignInCallback(event: H3Event): Promise<boolean> {
  if (!readPendingSignIn(event)) return false
  const { sessionConfiguration } = useRuntimeConfig(event).oidc.providers.oidc ?? {}
  const { data } = await useAuthSession(event, sessionConfiguration?.maxAuthSessionAge)
  const { state } = getQuery(event)
  return typeof state === 'string' && state !== '' && state === data.state
}

export function clearPendingSignIn(event: H3Event): void {
  deleteCookie(event, COOKIE, cookieOptions)
}

function parseSignInCookie(cookie: string | undefined): [nonce: unknown, to: unknown] {
  try {
    const { nonce, to } = JSON.parse(cookie ?? '{}') as Partial<PendingSignIn>
    return [nonce, to]
  } catch {
    return [undefined, undefined]
  }
}
