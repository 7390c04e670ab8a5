import type { H3Error } from 'h3'
import type { ApiError, ApiErrorCode } from '#shared/types/api-error'

const STATUS: Record<ApiErrorCode, number> = {
  SESSION_ENDED: 401,
  UNAUTHENTICATED: 401,
  USER_NOT_PROVISIONED: 403,
  USER_DISABLED: 403,
  FORBIDDEN: 403,
  ORIGIN_NOT_ALLOWED: 403,
  TENANT_SUSPENDED: 403,
  NOT_FOUND: 404,
  SESSION_CHANGED: 409,
  CONFLICT: 409,
  STALE_VERSION: 409,
  BAD_USER_INPUT: 422,
  RATE_LIMITED: 429,
  LIMIT_EXCEEDED: 500,
  GRAPHQL_PARSE_FAILED: 500,
  GRAPHQL_VALIDATION_FAILED: 500,
  INTERNAL: 502,
  GATEWAY_UNREACHABLE: 503,
  PORTAL_UNREACHABLE: 503,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
}

/** Creates an HTTP error from an API error. It contains the code and its details, and no message of the gateway. */
export function createApiError(data: ApiError): H3Error<ApiError> {
  return createError({ statusCode: STATUS[data.code], statusMessage: data.code, data })
}

/** Returns whether this portal knows the error code. */
export function isApiErrorCode(code: unknown): code is ApiErrorCode {
  return typeof code === 'string' && Object.hasOwn(STATUS, code)
}
