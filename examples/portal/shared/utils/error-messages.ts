import type { ApiError, ApiErrorCode } from '../types/api-error'

/** The action that a user can take after an error. */
export type ErrorAction = 'retry' | 'sign-in' | 'none'

export interface ErrorMessage {
  title: string
  text: string
  action: ErrorAction
}

const retryDelay = (seconds: number | undefined) => {
  if (seconds === undefined) return 'in a moment'
  return seconds === 1 ? 'in 1 second' : `in ${seconds} seconds`
}

// Messages are selected by code only. The gateway's own messages are meant for developers and may change.
const MESSAGES: Record<ApiErrorCode, (error: ApiError) => ErrorMessage> = {
  UNAUTHENTICATED: () => ({
    title: 'Your sign-in is no longer valid',
    text: 'Sign in again to continue.',
    action: 'sign-in',
  }),
  SESSION_ENDED: () => ({
    title: 'Your session has ended',
    text: 'Sign in again to continue where you left off.',
    action: 'sign-in',
  }),
  USER_NOT_PROVISIONED: () => ({
    title: 'Your account no longer exists',
    text: 'It was removed after you signed in. Sign in again, or contact an administrator.',
    action: 'sign-in',
  }),
  USER_DISABLED: () => ({
    title: 'Your account is disabled',
    text: 'An administrator has disabled it. Only an administrator can enable it again.',
    action: 'none',
  }),
  FORBIDDEN: () => ({
    title: 'Not permitted',
    text: 'Your role does not allow this action.',
    action: 'none',
  }),
  NOT_FOUND: () => ({
    title: 'Not found',
    text: 'This item does not exist, or you do not have access to it.',
    action: 'none',
  }),
  BAD_USER_INPUT: ({ fields = [] }) => ({
    title: fields.length === 1 ? '1 field is invalid' : `${fields.length} fields are invalid`,
    text: 'Your changes were not saved.',
    action: 'none',
  }),
  CONFLICT: ({ field }) => ({
    title: 'Already in use',
    text: CONFLICT_TEXTS[field ?? ''] ?? 'This value is already in use. Choose another one.',
    action: 'none',
  }),
  STALE_VERSION: () => ({
    title: 'Changed in the meantime',
    text: 'This was changed after you opened it. Your changes were not saved.',
    action: 'none',
  }),
  TENANT_SUSPENDED: () => ({
    title: 'This tenant is suspended or archived',
    text: 'You can view it, but you cannot change it.',
    action: 'none',
  }),
  LIMIT_EXCEEDED: ({ max, actual }) => ({
    title: 'The request is too large',
    text:
      max === undefined
        ? 'Request less at once.'
        : actual === undefined
          ? `The request exceeds the limit of ${max}.`
          : `The request asks for ${actual}, but the limit is ${max}.`,
    action: 'none',
  }),
  RATE_LIMITED: ({ retryAfterSeconds }) => ({
    title: 'Too many requests',
    text: `You sent too many requests in a short time. Try again ${retryDelay(retryAfterSeconds)}.`,
    action: 'retry',
  }),
  TIMEOUT: ({ retryAfterSeconds }) => ({
    title: 'The request timed out',
    text: `Try again ${retryDelay(retryAfterSeconds)}. It is safe to retry, because a change is never made twice.`,
    action: 'retry',
  }),
  UNAVAILABLE: ({ retryAfterSeconds }) => ({
    title: 'Temporarily unavailable',
    text: `A service that this page needs cannot be reached. Try again ${retryDelay(retryAfterSeconds)}.`,
    action: 'retry',
  }),
  GATEWAY_UNREACHABLE: ({ retryAfterSeconds }) => ({
    title: 'Temporarily unavailable',
    text: `The gateway cannot be reached. Try again ${retryDelay(retryAfterSeconds)}.`,
    action: 'retry',
  }),
  PORTAL_UNREACHABLE: () => ({
    title: 'No connection',
    text: 'The portal cannot be reached. Check your network connection and try again.',
    action: 'retry',
  }),
  ORIGIN_NOT_ALLOWED: () => ({
    title: 'Request rejected',
    text: 'The request did not come from a page of this portal.',
    action: 'none',
  }),
  GRAPHQL_PARSE_FAILED: () => VERSION_MISMATCH,
  GRAPHQL_VALIDATION_FAILED: () => VERSION_MISMATCH,
  INTERNAL: ({ requestId }) => ({
    title: 'Something went wrong',
    text: requestId
      ? `An internal error occurred. If it happens again, report this request ID: ${requestId}`
      : 'An internal error occurred. Try again.',
    action: 'retry',
  }),
}

const VERSION_MISMATCH: ErrorMessage = {
  title: 'The portal and the gateway are incompatible',
  text: 'One of them is newer than the other. An administrator must update the older one.',
  action: 'none',
}

const CONFLICT_TEXTS: Record<string, string> = {
  slug: 'Another tenant has this slug.',
  domains: 'One of these domains belongs to another tenant.',
}

/** Returns the title, text and action to display for an error. An unknown code is displayed as `INTERNAL`. */
export function getErrorMessage(error: ApiError): ErrorMessage {
  const messages: Partial<typeof MESSAGES> = MESSAGES
  return (messages[error.code] ?? MESSAGES.INTERNAL)(error)
}
