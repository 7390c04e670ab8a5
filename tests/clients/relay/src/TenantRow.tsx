import { graphql, useFragment } from 'react-relay';
import type { TenantRow_tenant$key } from './__generated__/TenantRow_tenant.graphql';

/** Shows one row of a list of tenants. */
export function TenantRow({ tenant }: { tenant: TenantRow_tenant$key }) {
  const data = useFragment(
    graphql`
      fragment TenantRow_tenant on Tenant {
        id
        slug
        name
        status
        subscription {
          status
          currentPeriodEnd
        }
      }
    `,
    tenant,
  );
  const end = data.subscription?.currentPeriodEnd;
  // @ts-expect-error A tenant may have no subscription.
  data.subscription.status;
  // @ts-expect-error This fragment does not select the field.
  data.plan;
  return (
    <tr>
      <td>{data.name}</td>
      <td>{end == null ? data.status : end.slice(0, 10)}</td>
    </tr>
  );
}
