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

export const statusLabel = (status: AnyStatus) => STATUSES[status][0]
export const statusTone = (status: AnyStatus) => STATUSES[status][1]
export const roleLabel = (role: TenantRole) => ROLES[role]
export const planLabel = (plan: Plan) => PLANS[plan]
export const sourceLabel = (source: MembershipSource) => SOURCES[source]

// The same on the server and in every browser: no time zone of either.
const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

export const dayLabel = (moment: string) => days.format(new Date(moment))

export const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`
