// The response types of the portal's API routes, derived from the generated operation types. Only types are
// imported here, so no GraphQL document gets into the browser bundle.
import type {
  AcceptInvitationMutation,
  AuditLogQuery,
  InvitationPreviewQuery,
  OverviewQuery,
  Plan,
  ProfileQuery,
  SubscriptionsQuery,
  TenantAdministrationQuery,
  TenantAuditLogQuery,
  TenantInvitationsQuery,
  TenantMemberQuery,
  TenantMembersQuery,
  TenantQuery,
  TenantRole,
  TenantStatus,
  TenantSubscriptionStatus,
  TenantsQuery,
  UpdateTenantMutation,
  UserQuery,
  UsersQuery,
  ViewerQuery,
} from '../../server/gql/graphql'

export type { MembershipSource, Plan, TenantRole, TenantStatus, TenantSubscriptionStatus } from '../../server/gql/graphql'

export type Viewer = ViewerQuery['me']
export type Overview = OverviewQuery
export type Profile = ProfileQuery['me']
export type TenantPage = TenantsQuery['tenants']
export type Tenant = NonNullable<TenantQuery['tenant']>
/** A tenant as a change of its form returns it. */
export type EditableTenant = UpdateTenantMutation['updateTenant']['tenant']
export type TenantAdministration = NonNullable<TenantAdministrationQuery['tenant']>
export type Billing = NonNullable<Tenant['billingInfo']>
export type Subscription = NonNullable<Tenant['subscription']>
export type SubscriptionPage = SubscriptionsQuery['subscriptions']
export type MemberPage = NonNullable<TenantMembersQuery['tenant']>['members']
export type UserPage = UsersQuery['users']
export type AuditPage = AuditLogQuery['auditLog']
export type AuditEvent = NonNullable<AuditPage['nodes'][number]>
export type PageInfo = TenantPage['pageInfo']

export interface TenantSummary {
  id: string
  slug: string
  name: string
  status: TenantStatus
  plan: Plan
  domains: string[]
  myMembership: { role: TenantRole } | null
}

/** The actions that a page offers to the viewer in a tenant. */
export interface TenantRights {
  isPlatformAdmin: boolean
  canEdit: boolean
  canViewAuditLog: boolean
  /** The roles that the viewer can give and take. */
  grantableRoles: TenantRole[]
}

export interface TenantView {
  tenant: Tenant
  viewerId: string
  canViewBilling: boolean
  rights: TenantRights
}

type MemberUser = NonNullable<TenantMemberQuery['user']>
export interface MemberView {
  tenant: TenantSummary
  user: Pick<MemberUser, 'id' | 'name' | 'email'>
  membership: MemberUser['memberships'][number]
  viewerId: string
  rights: TenantRights
}

export interface UserView {
  user: NonNullable<UserQuery['user']>
  isViewer: boolean
}

export interface TenantAuditView {
  tenant: TenantSummary
  auditLog: NonNullable<TenantAuditLogQuery['tenant']>['auditLog']
}

/** The invitations of a tenant, or null if the viewer may not see them. */
export interface InvitationsView {
  invitations: NonNullable<TenantInvitationsQuery['tenant']>['invitations']
}
export type Invitation = NonNullable<NonNullable<InvitationsView['invitations']>['nodes'][number]>
/** An invitation that was just made or renewed, with the link that accepts it. */
export interface SentInvitation {
  invitation: Invitation
  link: string | null
}
export type InvitationPreview = InvitationPreviewQuery
export type AcceptedMembership = AcceptInvitationMutation['acceptInvitation']['membership']

export type AnyStatus = TenantStatus | TenantSubscriptionStatus | Invitation['status']
