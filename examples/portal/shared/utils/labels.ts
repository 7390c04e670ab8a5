import type { AnyStatus, MembershipSource, Plan, TenantRole } from '../types/api'

/** How a status is meant: for its colour, which never stands alone. */
export type Tone = 'good' | 'calm' | 'warn' | 'bad'

const STATUSES: Record<AnyStatus, [label: string, tone: Tone]> = {
  PENDING: ['Pending', 'calm'],
  ACTIVE: ['Active', 'good'],
  SUSPENDED: ['Suspended', 'bad'],
  ARCHIVED: ['Archived', 'calm'],
  TRIALING: ['In trial', 'calm'],
  PAST_DUE: ['Payment late', 'warn'],
  UNPAID: ['Unpaid', 'bad'],
  PAUSED: ['Paused', 'calm'],
  CANCELED: ['Canceled', 'calm'],
  INCOMPLETE: ['First payment open', 'warn'],
  INCOMPLETE_EXPIRED: ['Never paid', 'calm'],
}

const ROLES: Record<TenantRole, string> = { MEMBER: 'Member', ADMIN: 'Admin', OWNER: 'Owner' }
const PLANS: Record<Plan, string> = {
  FREE: 'Free',
  STARTER: 'Starter',
  BUSINESS: 'Business',
  ENTERPRISE: 'Enterprise',
}
const SOURCES: Record<MembershipSource, string> = { GROUP: 'By a group', DIRECT: 'Added here' }

// A gateway that is newer than this portal may have further values: they are shown as they are.
const known = <Key extends string, Value>(table: Record<Key, Value>, key: Key): Value | undefined => table[key]

export const statusLabel = (status: AnyStatus) => known(STATUSES, status)?.[0] ?? status
export const statusTone = (status: AnyStatus) => known(STATUSES, status)?.[1] ?? 'calm'
export const roleLabel = (role: TenantRole) => known(ROLES, role) ?? role
export const planLabel = (plan: Plan) => known(PLANS, plan) ?? plan
export const sourceLabel = (source: MembershipSource) => known(SOURCES, source) ?? source

/** A tenant's name, or its slug where there is nothing in the name to see. */
export const nameOf = (tenant: { name: string; slug: string }) =>
  /[\p{L}\p{N}\p{P}\p{S}]/u.test(tenant.name) ? tenant.name : tenant.slug

// The same on the server and in every browser: no time zone of either.
const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

export const dayLabel = (moment: string) => days.format(new Date(moment))

export const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`
