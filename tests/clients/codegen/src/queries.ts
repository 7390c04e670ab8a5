// One operation for each query of the schema, with lists, fragments and abstract types.
import { graphql } from './gql/gql.js';

export const PageParts = graphql(`
  fragment PageParts on PageInfo {
    hasNextPage
    hasPreviousPage
    startCursor
    endCursor
  }
`);

export const SubscriptionCard = graphql(`
  fragment SubscriptionCard on TenantSubscription {
    id
    plan
    status
    currentPeriodStart
    currentPeriodEnd
    cancelAtPeriodEnd
    version
  }
`);

export const TenantCard = graphql(`
  fragment TenantCard on Tenant {
    id
    slug
    name
    status
    plan
    domains
    version
    updatedAt
    subscription {
      ...SubscriptionCard
    }
  }
`);

/** Fields with restricted access. For other viewers each one is null, with a FORBIDDEN error. */
export const TenantBilling = graphql(`
  fragment TenantBilling on Tenant {
    billingInfo {
      companyName
      email
      vatId
      address {
        line1
        line2
        city
        region
        postalCode
        country
      }
    }
    integrations {
      authentikGroup
      ocisSpace
      stalwartDomain
    }
  }
`);

export const MemberRow = graphql(`
  fragment MemberRow on Membership {
    role
    source
    since
    user {
      id
      name
      email
    }
  }
`);

export const EventRow = graphql(`
  fragment EventRow on AuditEvent {
    id
    at
    action
    actorKind
    actor {
      id
      name
    }
    tenant {
      id
      slug
    }
    target {
      __typename
      id
    }
    changes
    requestId
  }
`);

export const Me = graphql(`
  query Me {
    me {
      id
      subject
      email
      name
      role
      platformAdmin
      disabled
      lastSeenAt
      createdAt
      updatedAt
      version
      memberships {
        role
        source
        since
        tenant {
          ...TenantCard
        }
      }
    }
  }
`);

export const TenantPage = graphql(`
  query TenantPage($slug: String!, $after: String, $role: TenantRole, $withAuditLog: Boolean = false) {
    tenant(slug: $slug) {
      ...TenantCard
      ...TenantBilling
      createdAt
      myMembership {
        role
      }
      members(first: 2, after: $after, role: $role) {
        totalCount
        nodes {
          ...MemberRow
        }
        pageInfo {
          ...PageParts
        }
      }
      auditLog(first: 5) @include(if: $withAuditLog) {
        edges {
          cursor
          node {
            ...EventRow
          }
        }
      }
    }
  }
`);

export const Tenants = graphql(`
  query Tenants(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: TenantFilter
    $orderBy: TenantOrder
  ) {
    tenants(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      orderBy: $orderBy
    ) {
      totalCount
      edges {
        cursor
        node {
          ...TenantCard
        }
      }
      pageInfo {
        ...PageParts
      }
    }
  }
`);

export const Users = graphql(`
  query Users($first: Int, $after: String, $filter: UserFilter, $orderBy: UserOrder) {
    users(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      nodes {
        id
        name
        email
        role
        disabled
        version
      }
      pageInfo {
        ...PageParts
      }
    }
  }
`);

export const Subscriptions = graphql(`
  query Subscriptions(
    $first: Int
    $after: String
    $filter: TenantSubscriptionFilter
    $orderBy: TenantSubscriptionOrder
  ) {
    subscriptions(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      nodes {
        ...SubscriptionCard
        stripe {
          customerId
          subscriptionId
          priceId
        }
        tenant {
          id
          slug
        }
      }
      pageInfo {
        ...PageParts
      }
    }
  }
`);

export const AuditLogPage = graphql(`
  query AuditLogPage($first: Int, $after: String, $filter: AuditFilter) {
    auditLog(first: $first, after: $after, filter: $filter) {
      totalCount
      nodes {
        ...EventRow
      }
      pageInfo {
        ...PageParts
      }
    }
  }
`);

export const UserById = graphql(`
  query UserById($id: ID!) {
    user(id: $id) {
      id
      name
      email
      memberships {
        role
        tenant {
          slug
        }
      }
    }
  }
`);

export const SubscriptionById = graphql(`
  query SubscriptionById($id: ID!) {
    subscription(id: $id) {
      ...SubscriptionCard
      createdAt
      updatedAt
    }
  }
`);

export const NodeById = graphql(`
  query NodeById($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Tenant {
        slug
      }
      ... on User {
        name
      }
      ... on TenantSubscription {
        plan
      }
      ... on AuditEvent {
        action
      }
    }
  }
`);

export const NodesByIds = graphql(`
  query NodesByIds($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
    }
  }
`);

export const InvitationByToken = graphql(`
  query InvitationByToken($token: String!) {
    invitation(token: $token) {
      tenantName
      role
      email
      expiresAt
    }
  }
`);
