import type { MessageKey, MessageValues, Translator } from '../i18n/translator'
import type { ApiError, ApiErrorCode } from '../types/api-error'

/** The action that a user can take after an error. */
export type ErrorAction = 'retry' | 'sign-in' | 'none'

export interface ErrorMessage {
  title: string
  text: string
  action: ErrorAction
}

interface MessageParts {
  title: MessageKey
  text: MessageKey
  action?: ErrorAction
  values?: MessageValues
}

const VERSION_MISMATCH: MessageParts = { title: 'error.mismatch.title', text: 'error.mismatch.text' }

// Messages are selected by code only. The gateway's own messages are meant for developers and may change.
const MESSAGES: Record<ApiErrorCode, (error: ApiError) => MessageParts> = {
  UNAUTHENTICATED: () => ({ title: 'error.unauthenticated.title', text: 'error.unauthenticated.text', action: 'sign-in' }),
  SESSION_ENDED: () => ({ title: 'error.sessionEnded.title', text: 'error.sessionEnded.text', action: 'sign-in' }),
  SESSION_CHANGED: () => ({ title: 'error.sessionChanged.title', text: 'error.sessionChanged.text' }),
  USER_NOT_PROVISIONED: () => ({ title: 'error.noUser.title', text: 'error.noUser.text', action: 'sign-in' }),
  USER_DISABLED: () => ({ title: 'error.disabled.title', text: 'error.disabled.text' }),
  FORBIDDEN: () => ({ title: 'error.forbidden.title', text: 'error.forbidden.text' }),
  NOT_FOUND: () => ({ title: 'error.notFound.title', text: 'error.notFound.text' }),
  BAD_USER_INPUT: ({ fields = [] }) => ({
    title: 'error.input.title',
    text: 'error.input.text',
    values: { count: fields.length },
  }),
  CONFLICT: ({ field }) => ({ title: 'error.conflict.title', text: CONFLICT_TEXTS[field ?? ''] ?? 'error.conflict.text' }),
  STALE_VERSION: () => ({ title: 'error.stale.title', text: 'error.stale.text' }),
  TENANT_SUSPENDED: () => ({ title: 'error.suspended.title', text: 'error.suspended.text' }),
  LIMIT_EXCEEDED: ({ limit }) => ({
    title: 'error.limit.title',
    text: limit === 'pendingInvitations' ? 'error.limit.invitations' : 'error.limit.text',
  }),
  RATE_LIMITED: () => ({ title: 'error.rate.title', text: 'error.rate.text', action: 'retry' }),
  TIMEOUT: () => ({ title: 'error.timeout.title', text: 'error.timeout.text', action: 'retry' }),
  UNAVAILABLE: () => ({ title: 'error.unavailable.title', text: 'error.unavailable.text', action: 'retry' }),
  GATEWAY_UNREACHABLE: () => ({ title: 'error.unavailable.title', text: 'error.gateway.text', action: 'retry' }),
  PORTAL_UNREACHABLE: () => ({ title: 'error.offline.title', text: 'error.offline.text', action: 'retry' }),
  ORIGIN_NOT_ALLOWED: () => ({ title: 'error.origin.title', text: 'error.origin.text' }),
  GRAPHQL_PARSE_FAILED: () => VERSION_MISMATCH,
  GRAPHQL_VALIDATION_FAILED: () => VERSION_MISMATCH,
  INTERNAL: ({ requestId }) => ({
    title: 'error.internal.title',
    text: requestId ? 'error.internal.textWithId' : 'error.internal.text',
    action: 'retry',
    values: { requestId: requestId ?? '' },
  }),
}

const CONFLICT_TEXTS: Record<string, MessageKey> = {
  'slug': 'error.conflict.slug',
  'domains': 'error.conflict.domains',
  'tenantId': 'error.conflict.subscription',
  'email': 'error.conflict.invited',
  'id': 'error.conflict.invitation',
  'integrations.authentikGroup': 'error.conflict.group',
}

/** Returns the title, text and action to display for an error. An unknown code is displayed as `INTERNAL`. */
export function getErrorMessage(error: ApiError, { t }: Translator): ErrorMessage {
  const messages: Partial<typeof MESSAGES> = MESSAGES
  const { title, text, action = 'none', values = {} } = (messages[error.code] ?? MESSAGES.INTERNAL)(error)
  const delay = error.retryAfterSeconds
  const when = delay === undefined ? t('error.soon') : t('error.inSeconds', { count: delay })
  return { title: t(title, values), text: t(text, { when, ...values }), action }
}

// The gateway's limits, in the words of a user. A path may contain an index, as in `domains.1`.
const FIELD_ERRORS: [path: RegExp, key: MessageKey][] = [
  [/^name$/, 'field.error.name'],
  [/^slug$/, 'field.error.slug'],
  [/^domains\.\d+$/, 'field.error.domain'],
  [/^domains$/, 'field.error.domains'],
  [/email$/i, 'field.error.email'],
  [/^expiresInDays$/, 'field.error.days'],
  [/vatId$/, 'field.error.vatId'],
  [/country$/, 'field.error.country'],
  [/^billingInfo\./, 'field.error.line'],
]

/** Returns the key of the message for an input error at a path, relative to `input`. */
export function fieldErrorKey(path: string): MessageKey {
  return FIELD_ERRORS.find(([pattern]) => pattern.test(path))?.[1] ?? 'field.error.other'
}
