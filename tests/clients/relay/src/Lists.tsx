// Every other list as a Relay connection. The compiler checks the edges, cursors and page info of each.
import { graphql } from 'react-relay';

export const users = graphql`
  fragment Lists_users on Query
  @refetchable(queryName: "ListsUsersQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    users(last: $count, before: $cursor, orderBy: { field: NAME, direction: ASC })
      @connection(key: "Lists_users") {
      edges {
        node {
          name
        }
      }
    }
  }
`;

export const subscriptions = graphql`
  fragment Lists_subscriptions on Query
  @refetchable(queryName: "ListsSubscriptionsQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    subscriptions(first: $count, after: $cursor) @connection(key: "Lists_subscriptions") {
      edges {
        node {
          ...Nodes_subscription
        }
      }
    }
  }
`;

export const auditLog = graphql`
  fragment Lists_auditLog on Query
  @refetchable(queryName: "ListsAuditLogQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    auditLog(first: $count, after: $cursor) @connection(key: "Lists_auditLog") {
      edges {
        node {
          ...Nodes_event
        }
      }
    }
  }
`;

export const ofTenant = graphql`
  fragment Lists_tenant on Tenant
  @refetchable(queryName: "ListsTenantQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    auditLog(first: $count, after: $cursor) @connection(key: "Lists_tenant_auditLog") {
      edges {
        node {
          ...Nodes_event
        }
      }
    }
  }
`;
