import { graphql, useLazyLoadQuery, usePaginationFragment } from 'react-relay';
import { TenantRow } from './TenantRow';
import type { TenantListPaginationQuery } from './__generated__/TenantListPaginationQuery.graphql';
import type { TenantListQuery } from './__generated__/TenantListQuery.graphql';
import type { TenantList_query$key } from './__generated__/TenantList_query.graphql';

/** Lists the tenants of the viewer and loads another page on each click. */
export function TenantList({ search }: { search: string | null }) {
  const root = useLazyLoadQuery<TenantListQuery>(
    graphql`
      query TenantListQuery($count: Int!, $filter: TenantFilter) {
        me {
          name
        }
        ...TenantList_query @arguments(count: $count, filter: $filter)
      }
    `,
    { count: 4, filter: { search, status: ['ACTIVE', 'PENDING'] } },
  );
  const { data, hasNext, loadNext } = usePaginationFragment<
    TenantListPaginationQuery,
    TenantList_query$key
  >(
    graphql`
      fragment TenantList_query on Query
      @refetchable(queryName: "TenantListPaginationQuery")
      @argumentDefinitions(
        count: { type: "Int", defaultValue: 20 }
        cursor: { type: "String" }
        filter: { type: "TenantFilter" }
      ) {
        tenants(first: $count, after: $cursor, filter: $filter) @connection(key: "TenantList_tenants") {
          edges {
            node {
              id
              ...TenantRow_tenant
            }
          }
        }
      }
    `,
    root,
  );
  // @ts-expect-error An unreadable element is null.
  data.tenants.edges[0]?.node.id;
  // @ts-expect-error The fields of a fragment are masked outside of it.
  data.tenants.edges[0]?.node?.slug;
  const rows = data.tenants.edges.flatMap(({ node }) =>
    node ? [<TenantRow key={node.id} tenant={node} />] : [],
  );
  return (
    <>
      <h1>{root.me.name}</h1>
      <table>
        <tbody>{rows}</tbody>
      </table>
      <button disabled={!hasNext} onClick={() => loadNext(4)}>
        More
      </button>
    </>
  );
}
