// Every type with an identifier is refetchable.
import { graphql, useFragment } from 'react-relay';
import type { Nodes_event$key } from './__generated__/Nodes_event.graphql';

export const user = graphql`
  fragment Nodes_user on User @refetchable(queryName: "NodesUserQuery") {
    name
    role
    memberships {
      role
      tenant {
        slug
      }
    }
  }
`;

export const subscription = graphql`
  fragment Nodes_subscription on TenantSubscription @refetchable(queryName: "NodesSubscriptionQuery") {
    plan
    status
    stripe {
      customerId
    }
  }
`;

export const kinds = graphql`
  query NodesQuery($id: ID!, $ids: [ID!]!) {
    node(id: $id) {
      __typename
      ...Nodes_user @alias(as: "user")
      ...Nodes_subscription @alias(as: "subscription")
    }
    nodes(ids: $ids) {
      id
      ... on Tenant {
        slug
      }
    }
  }
`;

export function Event({ event }: { event: Nodes_event$key }) {
  const data = useFragment(
    graphql`
      fragment Nodes_event on AuditEvent @refetchable(queryName: "NodesEventQuery") {
        action
        at
        changes
        target {
          __typename
          ... on Tenant {
            name
          }
        }
      }
    `,
    event,
  );
  // @ts-expect-error JSON is `unknown` and has to be narrowed before use.
  data.changes.name;
  const { target } = data;
  return <p>{target?.__typename === 'Tenant' ? target.name : data.at}</p>;
}
