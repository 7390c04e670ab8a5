import type { Plan, TenantRole, TenantStatus, TenantSubscriptionStatus } from '../types/api'

// The values that a user can choose, in the order of their display.
export const TENANT_ROLES = ['MEMBER', 'ADMIN', 'OWNER'] as const satisfies TenantRole[]
export const PLANS = ['FREE', 'STARTER', 'BUSINESS', 'ENTERPRISE'] as const satisfies Plan[]
export const TENANT_STATUSES = ['ACTIVE', 'PENDING', 'SUSPENDED', 'ARCHIVED'] as const satisfies TenantStatus[]
export const LIVE_SUBSCRIPTION_STATUSES: TenantSubscriptionStatus[] = [
  'TRIALING',
  'ACTIVE',
  'PAST_DUE',
  'UNPAID',
  'PAUSED',
  'INCOMPLETE',
]
export const SUBSCRIPTION_STATUSES: TenantSubscriptionStatus[] = [...LIVE_SUBSCRIPTION_STATUSES, 'CANCELED', 'INCOMPLETE_EXPIRED']

export const AUDIT_ACTIONS = [
  'tenant.create',
  'tenant.update',
  'tenant.plan',
  'tenant.delete',
  'membership.add',
  'membership.update',
  'membership.remove',
  'subscription.create',
  'subscription.update',
  'subscription.delete',
  'user.create',
  'user.update',
  'user.sync',
  'user.delete',
  'invitation.create',
  'invitation.resend',
  'invitation.revoke',
  'invitation.accept',
  'database.migrate',
] as const
