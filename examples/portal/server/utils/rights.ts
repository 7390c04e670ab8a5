import type { TenantRole, TenantStatus } from '../gql/graphql'
import type { TenantRights } from '#shared/types/api'

interface VisibleTenant {
  status: TenantStatus
  myMembership: { role: TenantRole } | null
}

/**
 * Returns the rights of the viewer in a tenant. They only decide which actions a page offers. The gateway authorizes
 * each request.
 */
export function rightsIn({ status, myMembership }: VisibleTenant, isPlatformAdmin: boolean): TenantRights {
  const role = myMembership?.role
  const isReadOnly = status === 'SUSPENDED' || status === 'ARCHIVED'
  const isAdmin = isPlatformAdmin || role === 'ADMIN' || role === 'OWNER'
  const canChange = isPlatformAdmin || (isAdmin && !isReadOnly)
  const isOwner = isPlatformAdmin || role === 'OWNER'
  return {
    isPlatformAdmin,
    canEdit: canChange,
    canViewAuditLog: isAdmin,
    grantableRoles: canChange ? (isOwner ? ['MEMBER', 'ADMIN', 'OWNER'] : ['MEMBER', 'ADMIN']) : [],
  }
}
