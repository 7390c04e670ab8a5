import { randomBytes } from 'node:crypto'
import type { H3Event } from 'h3'
import { useAuthSession } from 'nuxt-oidc-auth/runtime/server/utils/session.js'

const COOKIE = 'portal-sign-in'
const MINUTES = 10

const attributes = {
  path: '/',
  httpOnly: true,
  sameSite: 'lax',
  secure: !import.meta.dev,
  maxAge: MINUTES * 60,
} as const

/** A sign-in that has begun and not ended. */
interface SignIn {
  nonce: string
  /** The page to come back to. */
  to: string
}

/** A path of this portal: never an address, and nothing that a browser reads as one (`//`, `/\`). */
export function pathOnly(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[^\\\s]*$/.test(to) ? to : '/'
}

/** Writes down a new sign-in, and answers its nonce. */
export function beginSignIn(event: H3Event, to: string): string {
  const nonce = randomBytes(24).toString('base64url')
  setCookie(event, COOKIE, JSON.stringify({ nonce, to } satisfies SignIn), attributes)
  return nonce
}

/** The one that this browser has begun. */
export function signInUnderWay(event: H3Event): SignIn | undefined {
  const [nonce, to] = read(getCookie(event, COOKIE))
  return typeof nonce === 'string' ? { nonce, to: pathOnly(to) } : undefined
}

/** Whether this is the provider's answer, good or bad, to a sign-in that this browser has begun. */
export async function answersSignIn(event: H3Event): Promise<boolean> {
  if (!signInUnderWay(event)) return false
  const { sessionConfiguration } = useRuntimeConfig(event).oidc.providers.oidc ?? {}
  const { data } = await useAuthSession(event, sessionConfiguration?.maxAuthSessionAge)
  const { state } = getQuery(event)
  return typeof state === 'string' && state !== '' && state === data.state
}

export function endSignIn(event: H3Event): void {
  deleteCookie(event, COOKIE, attributes)
}

function read(cookie: string | undefined): [unknown, unknown] {
  try {
    const { nonce, to } = JSON.parse(cookie ?? '{}') as Partial<SignIn>
    return [nonce, to]
  } catch {
    return [undefined, undefined]
  }
}
