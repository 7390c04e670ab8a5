/** An error code of the gateway (`extensions.code`). */
export type GatewayErrorCode =
  | 'UNAUTHENTICATED'
  | 'USER_NOT_PROVISIONED'
  | 'USER_DISABLED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'CONFLICT'
  | 'STALE_VERSION'
  | 'TENANT_SUSPENDED'
  | 'LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'TIMEOUT'
  | 'UNAVAILABLE'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'INTERNAL'

/** An error code of the portal itself. */
export type PortalErrorCode =
  | 'SESSION_ENDED'
  | 'SESSION_CHANGED'
  | 'GATEWAY_UNREACHABLE'
  | 'ORIGIN_NOT_ALLOWED'
  | 'PORTAL_UNREACHABLE'

export type ApiErrorCode = GatewayErrorCode | PortalErrorCode

/** An error in one input field, with its dotted path: `input.domains.1`. */
export interface InputError {
  path: string
  message: string
}

/** The error data that the portal's API routes respond with. */
export interface ApiError {
  code: ApiErrorCode
  /** The ID of the request in the gateway's log. */
  requestId?: string
  retryAfterSeconds?: number
  /** The input errors of `BAD_USER_INPUT`. */
  fields?: InputError[]
  /** The input field that `CONFLICT` refers to. */
  field?: string
  /** The limit that `LIMIT_EXCEEDED` refers to. */
  limit?: string
  max?: number
  actual?: number
}
