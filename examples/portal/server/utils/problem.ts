import type { H3Error } from 'h3'
import type { Problem, ProblemCode } from '#shared/types/problem'

const STATUS: Record<ProblemCode, number> = {
  SESSION_ENDED: 401,
  UNAUTHENTICATED: 401,
  USER_NOT_PROVISIONED: 403,
  USER_DISABLED: 403,
  FORBIDDEN: 403,
  FOREIGN_ORIGIN: 403,
  TENANT_SUSPENDED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  STALE_VERSION: 409,
  BAD_USER_INPUT: 422,
  RATE_LIMITED: 429,
  LIMIT_EXCEEDED: 500,
  GRAPHQL_PARSE_FAILED: 500,
  GRAPHQL_VALIDATION_FAILED: 500,
  INTERNAL: 502,
  GATEWAY_AWAY: 503,
  PORTAL_AWAY: 503,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
}

/** An answer that is no more than a problem: its code and numbers, and no text of the gateway. */
export function problem(data: Problem): H3Error<Problem> {
  return createError({ statusCode: STATUS[data.code], statusMessage: data.code, data })
}

/** Whether the gateway's word is one that this portal knows. */
export function isCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(STATUS, code)
}
