/** The gateway's codes (`extensions.code`). */
export type GatewayCode =
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

/** What goes wrong on this side of the gateway. */
export type PortalCode = 'SESSION_ENDED' | 'GATEWAY_AWAY' | 'FOREIGN_ORIGIN' | 'PORTAL_AWAY'

export type ProblemCode = GatewayCode | PortalCode

/** A fault of one field of an input, by its path: `input.domains.1`. */
export interface FieldFault {
  path: string
  message: string
}

/** Why something did not work, as the portal's routes answer it. */
export interface Problem {
  code: ProblemCode
  /** The request's number in the gateway's log. */
  requestId?: string
  retryAfterSeconds?: number
  /** With `BAD_USER_INPUT`. */
  fields?: FieldFault[]
  /** With `CONFLICT`. */
  field?: string
  /** With `LIMIT_EXCEEDED`. */
  limit?: string
  max?: number
  actual?: number
}
