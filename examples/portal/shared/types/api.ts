// The response types of the portal's API routes, derived from the generated operation types. Only types are
// imported here, so no GraphQL document gets into the browser bundle.
import type {
  MeQuery,
  Plan,
  TenantMembersQuery,
  TenantQuery,
  TenantRole,
  TenantStatus,
  TenantSubscriptionStatus,
  TenantsQuery,
} from '../../server/gql/graphql'

export type { MembershipSource, Plan, TenantRole, TenantStatus, TenantSubscriptionStatus } from '../../server/gql/graphql'

export type Me = MeQuery
export type TenantPage = TenantsQuery['tenants']
export type Tenant = NonNullable<TenantQuery['tenant']>
export type Billing = NonNullable<Tenant['billingInfo']>
export type Subscription = NonNullable<Tenant['subscription']>
export type MemberPage = NonNullable<TenantMembersQuery['tenant']>['members']
export type PageInfo = TenantPage['pageInfo']

export interface TenantSummary {
  slug: string
  name: string
  status: TenantStatus
  plan: Plan
  domains: string[]
  myMembership: { role: TenantRole } | null
}

export interface TenantView {
  tenant: Tenant
  canViewBilling: boolean
  canEdit: boolean
}

export type AnyStatus = TenantStatus | TenantSubscriptionStatus
