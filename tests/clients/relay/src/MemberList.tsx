import { graphql, usePaginationFragment } from 'react-relay';
import type { MemberListPaginationQuery } from './__generated__/MemberListPaginationQuery.graphql';
import type { MemberList_tenant$key } from './__generated__/MemberList_tenant.graphql';

/** Lists the members of a tenant. Further pages are fetched through `node`. */
export function MemberList({ tenant }: { tenant: MemberList_tenant$key }) {
  const { data, hasNext, loadNext, refetch } = usePaginationFragment<
    MemberListPaginationQuery,
    MemberList_tenant$key
  >(
    graphql`
      fragment MemberList_tenant on Tenant
      @refetchable(queryName: "MemberListPaginationQuery")
      @argumentDefinitions(
        count: { type: "Int", defaultValue: 1 }
        cursor: { type: "String" }
        role: { type: "TenantRole" }
      ) {
        members(first: $count, after: $cursor, role: $role) @connection(key: "MemberList_members") {
          totalCount
          edges {
            node {
              role
              source
              user {
                id
                name
                email
              }
            }
          }
        }
      }
    `,
    tenant,
  );
  // @ts-expect-error The schema has no such role.
  refetch({ role: 'GUEST' });
  const names = data.members.edges.map(({ node }) => node?.user.email ?? node?.user.name);
  return (
    <p>
      {data.members.totalCount}: {names.join(', ')}
      <button onClick={() => refetch({ role: 'OWNER' })}>Owners</button>
      <button disabled={!hasNext} onClick={() => loadNext(20)}>
        More
      </button>
    </p>
  );
}
