// What the portal's routes answer, as the generated types of the operations have it. Types alone: no
// document of the gateway's gets into a page.
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
  maySeeBilling: boolean
  mayEdit: boolean
}

export type AnyStatus = TenantStatus | TenantSubscriptionStatus
