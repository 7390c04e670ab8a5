import { graphql, useLazyLoadQuery, useRefetchableFragment } from 'react-relay';
import { MemberList } from './MemberList';
import type { TenantPageQuery } from './__generated__/TenantPageQuery.graphql';
import type { TenantPageRefetchQuery } from './__generated__/TenantPageRefetchQuery.graphql';
import type { TenantPage_tenant$key } from './__generated__/TenantPage_tenant.graphql';

/** Shows one tenant, or a message if it does not exist for the viewer. */
export function TenantPage({ slug }: { slug: string }) {
  const { tenant } = useLazyLoadQuery<TenantPageQuery>(
    graphql`
      query TenantPageQuery($slug: String!) {
        tenant(slug: $slug) {
          id
          ...TenantPage_tenant
          ...MemberList_tenant
        }
      }
    `,
    { slug },
  );
  // @ts-expect-error The tenant may not exist for the viewer.
  tenant.id;
  if (!tenant) return <p>Tenant not found.</p>;
  return (
    <>
      <Billing tenant={tenant} />
      <MemberList tenant={tenant} />
    </>
  );
}

function Billing({ tenant }: { tenant: TenantPage_tenant$key }) {
  const [data, refetch] = useRefetchableFragment<TenantPageRefetchQuery, TenantPage_tenant$key>(
    graphql`
      fragment TenantPage_tenant on Tenant @refetchable(queryName: "TenantPageRefetchQuery") {
        name
        version
        billingInfo @catch {
          email
          address {
            city
          }
        }
      }
    `,
    tenant,
  );
  const again = () => refetch({}, { fetchPolicy: 'network-only' });
  const { billingInfo } = data;
  // @ts-expect-error The field may be forbidden.
  billingInfo.value;
  return (
    <button onClick={again}>
      {data.name}: {billingInfo.ok ? billingInfo.value?.email : 'not permitted'}
    </button>
  );
}
