// One operation for each mutation of the schema.
import { graphql } from './gql/gql.js';

export const CreateTenant = graphql(`
  mutation CreateTenant($input: CreateTenantInput!) {
    createTenant(input: $input) {
      tenant {
        ...TenantCard
      }
    }
  }
`);

export const UpdateTenant = graphql(`
  mutation UpdateTenant($input: UpdateTenantInput!) {
    updateTenant(input: $input) {
      tenant {
        ...TenantCard
        ...TenantBilling
      }
    }
  }
`);

export const DeleteTenant = graphql(`
  mutation DeleteTenant($input: DeleteTenantInput!) {
    deleteTenant(input: $input) {
      deletedId
    }
  }
`);

export const CreateUser = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      user {
        id
        subject
        email
        name
        version
      }
    }
  }
`);

export const UpdateUser = graphql(`
  mutation UpdateUser($input: UpdateUserInput!) {
    updateUser(input: $input) {
      user {
        id
        email
        name
        platformAdmin
        disabled
        version
      }
    }
  }
`);

export const DeleteUser = graphql(`
  mutation DeleteUser($input: DeleteUserInput!) {
    deleteUser(input: $input) {
      deletedId
    }
  }
`);

export const CreateSubscription = graphql(`
  mutation CreateSubscription($input: CreateSubscriptionInput!) {
    createSubscription(input: $input) {
      subscription {
        ...SubscriptionCard
      }
    }
  }
`);

export const UpdateSubscription = graphql(`
  mutation UpdateSubscription($input: UpdateSubscriptionInput!) {
    updateSubscription(input: $input) {
      subscription {
        ...SubscriptionCard
        tenant {
          id
          plan
        }
      }
    }
  }
`);

export const DeleteSubscription = graphql(`
  mutation DeleteSubscription($input: DeleteSubscriptionInput!) {
    deleteSubscription(input: $input) {
      deletedId
    }
  }
`);

export const AddTenantMember = graphql(`
  mutation AddTenantMember($input: AddTenantMemberInput!) {
    addTenantMember(input: $input) {
      membership {
        ...MemberRow
      }
    }
  }
`);

export const UpdateTenantMember = graphql(`
  mutation UpdateTenantMember($input: UpdateTenantMemberInput!) {
    updateTenantMember(input: $input) {
      membership {
        ...MemberRow
      }
    }
  }
`);

export const RemoveTenantMember = graphql(`
  mutation RemoveTenantMember($input: RemoveTenantMemberInput!) {
    removeTenantMember(input: $input) {
      removedUserId
      tenant {
        id
        members {
          totalCount
        }
      }
    }
  }
`);

export const InviteTenantMember = graphql(`
  mutation InviteTenantMember($input: InviteTenantMemberInput!) {
    inviteTenantMember(input: $input) {
      token
      acceptUrl
      invitation {
        id
        email
        role
        status
        mail
        version
      }
    }
  }
`);

export const ResendInvitation = graphql(`
  mutation ResendInvitation($input: ResendInvitationInput!) {
    resendInvitation(input: $input) {
      token
      invitation {
        id
        version
        expiresAt
      }
    }
  }
`);

export const RevokeInvitation = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) {
      invitation {
        id
        status
      }
    }
  }
`);

export const AcceptInvitation = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      membership {
        ...MemberRow
      }
    }
  }
`);
