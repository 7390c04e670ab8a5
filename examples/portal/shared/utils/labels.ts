import type { AnyStatus, MembershipSource, Plan, TenantRole } from '../types/api'

/** The meaning of a status. It selects the badge colour, which always comes with a text label. */
export type Tone = 'success' | 'neutral' | 'warning' | 'danger'

const STATUSES: Record<AnyStatus, [label: string, tone: Tone]> = {
  PENDING: ['Pending', 'neutral'],
  ACTIVE: ['Active', 'success'],
  SUSPENDED: ['Suspended', 'danger'],
  ARCHIVED: ['Archived', 'neutral'],
  TRIALING: ['Trial', 'neutral'],
  PAST_DUE: ['Past due', 'warning'],
  UNPAID: ['Unpaid', 'danger'],
  PAUSED: ['Paused', 'neutral'],
  CANCELED: ['Canceled', 'neutral'],
  INCOMPLETE: ['Awaiting first payment', 'warning'],
  INCOMPLETE_EXPIRED: ['First payment not made', 'neutral'],
}

const ROLES: Record<TenantRole, string> = { MEMBER: 'Member', ADMIN: 'Admin', OWNER: 'Owner' }
const PLANS: Record<Plan, string> = {
  FREE: 'Free',
  STARTER: 'Starter',
  BUSINESS: 'Business',
  ENTERPRISE: 'Enterprise',
}
const SOURCES: Record<MembershipSource, string> = { GROUP: 'From a group', DIRECT: 'Added directly' }

// A gateway that is newer than this portal may return additional values. They are displayed unchanged.
const lookup = <Key extends string, Value>(table: Record<Key, Value>, key: Key): Value | undefined => table[key]

export const statusLabel = (status: AnyStatus) => lookup(STATUSES, status)?.[0] ?? status
export const statusTone = (status: AnyStatus) => lookup(STATUSES, status)?.[1] ?? 'neutral'
export const roleLabel = (role: TenantRole) => lookup(ROLES, role) ?? role
export const planLabel = (plan: Plan) => lookup(PLANS, plan) ?? plan
export const sourceLabel = (source: MembershipSource) => lookup(SOURCES, source) ?? source

/** Returns a tenant's name, or its slug if the name has no visible character. */
export const tenantDisplayName = (tenant: { name: string; slug: string }) =>
  /[\p{L}\p{N}\p{P}\p{S}]/u.test(tenant.name) ? tenant.name : tenant.slug

// UTC, so that the server and every browser render the same date.
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

export const dateLabel = (timestamp: string) => dateFormat.format(new Date(timestamp))

export const pluralize = (count: number, singular: string, plural = `${singular}s`) =>
  `${count} ${count === 1 ? singular : plural}`
