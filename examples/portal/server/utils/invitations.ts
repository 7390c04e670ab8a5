import type { H3Event } from 'h3'
import type { InviteTenantMemberMutation } from '../gql/graphql'
import type { SentInvitation } from '#shared/types/api'

type Payload = Omit<InviteTenantMemberMutation['inviteTenantMember'], '__typename'>

/**
 * Returns an invitation with the link that accepts it: the gateway's, or that of this portal if the gateway has none. The
 * link is null if the request was repeated, because the gateway shows the token only once.
 */
export function withLink(event: H3Event, { invitation, token, acceptUrl }: Payload): SentInvitation {
  const ownUrl = token === null ? null : `${publicOrigin(event)}/invitations/${encodeURIComponent(token)}`
  return { invitation, link: acceptUrl ?? ownUrl }
}
