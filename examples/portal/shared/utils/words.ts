import type { Problem, ProblemCode } from '../types/problem'

/** What a reader can do about a problem. */
export type Remedy = 'retry' | 'sign-in' | 'none'

export interface Words {
  title: string
  text: string
  remedy: Remedy
}

const seconds = (count: number | undefined) => {
  if (count === undefined) return 'in a moment'
  return count === 1 ? 'in a second' : `in ${count} seconds`
}

// By code alone: the gateway's messages are for developers and may change.
const WORDS: Record<ProblemCode, (problem: Problem) => Words> = {
  UNAUTHENTICATED: () => ({
    title: 'You have to sign in again',
    text: 'Your sign-in is not accepted any more.',
    remedy: 'sign-in',
  }),
  SESSION_ENDED: () => ({
    title: 'Your session has ended',
    text: 'Sign in again to go on where you were.',
    remedy: 'sign-in',
  }),
  USER_NOT_PROVISIONED: () => ({
    title: 'Your account is not there any more',
    text: 'It was removed since you signed in. Sign in again, or ask an administrator.',
    remedy: 'sign-in',
  }),
  USER_DISABLED: () => ({
    title: 'Your account is disabled',
    text: 'An administrator has shut this account out. Only they can let it in again.',
    remedy: 'none',
  }),
  FORBIDDEN: () => ({
    title: 'Not permitted',
    text: 'Your role does not allow this.',
    remedy: 'none',
  }),
  NOT_FOUND: () => ({
    title: 'Not there',
    text: 'It does not exist, or it is not for you to see.',
    remedy: 'none',
  }),
  BAD_USER_INPUT: ({ fields = [] }) => ({
    title: fields.length === 1 ? 'One field needs another look' : `${fields.length} fields need another look`,
    text: 'Nothing was saved.',
    remedy: 'none',
  }),
  CONFLICT: ({ field }) => ({
    title: 'Already taken',
    text: CONFLICTS[field ?? ''] ?? 'Somebody else has this value. Choose another one.',
    remedy: 'none',
  }),
  STALE_VERSION: () => ({
    title: 'Somebody was faster',
    text: 'This was changed since you opened it. Nothing was saved.',
    remedy: 'none',
  }),
  TENANT_SUSPENDED: () => ({
    title: 'This tenant is suspended',
    text: 'It can be read, and nothing in it can be changed.',
    remedy: 'none',
  }),
  LIMIT_EXCEEDED: ({ max, actual }) => ({
    title: 'Too much at once',
    text: max === undefined ? 'Ask for less.' : `This asks for ${actual ?? 'more'} where ${max} is the most.`,
    remedy: 'none',
  }),
  RATE_LIMITED: ({ retryAfterSeconds }) => ({
    title: 'A little too fast',
    text: `Too much was asked for in a short time. Try again ${seconds(retryAfterSeconds)}.`,
    remedy: 'retry',
  }),
  TIMEOUT: ({ retryAfterSeconds }) => ({
    title: 'This took too long',
    text: `Trying again ${seconds(retryAfterSeconds)} does no harm: what was done is not done twice.`,
    remedy: 'retry',
  }),
  UNAVAILABLE: ({ retryAfterSeconds }) => ({
    title: 'Not available right now',
    text: `Something behind this page cannot be reached. Try again ${seconds(retryAfterSeconds)}.`,
    remedy: 'retry',
  }),
  GATEWAY_AWAY: ({ retryAfterSeconds }) => ({
    title: 'Not available right now',
    text: `The gateway cannot be reached. Try again ${seconds(retryAfterSeconds)}.`,
    remedy: 'retry',
  }),
  PORTAL_AWAY: () => ({
    title: 'No connection',
    text: 'The portal cannot be reached. Look at your network, and try again.',
    remedy: 'retry',
  }),
  FOREIGN_ORIGIN: () => ({
    title: 'Refused',
    text: 'The request did not come from a page of this portal.',
    remedy: 'none',
  }),
  GRAPHQL_PARSE_FAILED: () => outOfStep,
  GRAPHQL_VALIDATION_FAILED: () => outOfStep,
  INTERNAL: ({ requestId }) => ({
    title: 'Something went wrong',
    text: requestId
      ? `It is not your fault. If it happens again, tell us this number: ${requestId}`
      : 'It is not your fault. Try again.',
    remedy: 'retry',
  }),
}

const outOfStep: Words = {
  title: 'The portal and the gateway do not fit together',
  text: 'One of them is newer than the other. An administrator has to bring them in step.',
  remedy: 'none',
}

const CONFLICTS: Record<string, string> = {
  slug: 'Another tenant has this slug.',
  domains: 'One of these domains belongs to another tenant.',
}

/** A problem, in words. */
export function wordsFor(problem: Problem): Words {
  const known: Partial<typeof WORDS> = WORDS
  return (known[problem.code] ?? WORDS.INTERNAL)(problem)
}
