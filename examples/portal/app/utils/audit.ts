import { PLANS, SUBSCRIPTION_STATUSES, TENANT_ROLES, TENANT_STATUSES } from '#shared/utils/enums'
import type { Translator } from '#shared/i18n/translator'
import { formatTimestamp } from './dates'

/** The names of the filters in the URL of an audit log. */
export const AUDIT_FILTERS = ['action', 'since', 'until', 'actor'] as const

export interface ReadableChange {
  field: string
  from: string
  to: string
}

const ENUMS: [group: string, values: readonly string[]][] = [
  ['role', TENANT_ROLES],
  ['plan', PLANS],
  ['status', [...TENANT_STATUSES, ...SUBSCRIPTION_STATUSES, 'ACCEPTED', 'REVOKED', 'EXPIRED']],
  ['source', ['GROUP', 'DIRECT']],
]

/** Returns the changes of an audit event in words. `changes` is `{field: {from, to}}`. */
export function readableChanges(changes: unknown, translator: Translator): ReadableChange[] {
  return Object.entries((changes ?? {}) as Record<string, { from: unknown; to: unknown }>).map(([path, { from, to }]) => ({
    field: fieldName(path, translator),
    from: valueText(path, from, translator),
    to: valueText(path, to, translator),
  }))
}

/** Returns the name of a field. The path of a membership contains the identifier of its tenant. */
function fieldName(path: string, { t, label }: Translator): string {
  if (/^(role|memberships\.[^.]+)$/.test(path)) return t('field.role')
  if (/^memberships\..+\.source$/.test(path)) return t('field.source')
  return label('audit.field', path.split('.').at(-1) ?? path)
}

function valueText(path: string, value: unknown, translator: Translator): string {
  const { t, label, locale } = translator
  if (value === null || value === undefined || value === '') return t('value.empty')
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no')
  if (Array.isArray(value)) return value.length ? value.join(', ') : t('value.empty')
  if (typeof value !== 'string') return JSON.stringify(value)
  if (/^(currentPeriod|expiresAt)/.test(path)) return formatTimestamp(value, locale, { precise: true, timeZone: 'UTC' })
  // Free text must not be taken for an enum value: a name can be ACTIVE.
  const isFreeText = /^(name|slug|email|subject|issuer|billingInfo\.|integrations\.|stripe\.)/.test(path)
  const group = isFreeText ? undefined : ENUMS.find(([, values]) => values.includes(value))?.[0]
  return group ? label(group, value) : value
}
