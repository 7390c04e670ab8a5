import { graphql, useMutation } from 'react-relay';
import type { EditingCreateMutation } from './__generated__/EditingCreateMutation.graphql';
import type { EditingUpdateMutation } from './__generated__/EditingUpdateMutation.graphql';

/** Edits a tenant. Each response has the identifier, so Relay updates every list and page. */
export function Editing({ id, version }: { id: string; version: number }) {
  const [update] = useMutation<EditingUpdateMutation>(graphql`
    mutation EditingUpdateMutation($input: UpdateTenantInput!) {
      updateTenant(input: $input) {
        tenant {
          ...TenantRow_tenant
          ...TenantPage_tenant
        }
      }
    }
  `);
  const [create] = useMutation<EditingCreateMutation>(graphql`
    mutation EditingCreateMutation($input: CreateTenantInput!, $connections: [ID!]!) {
      createTenant(input: $input) {
        tenant @appendNode(connections: $connections, edgeTypeName: "TenantEdge") {
          id
          ...TenantRow_tenant
        }
      }
    }
  `);
  const rename = (name: string) => update({ variables: { input: { id, version, name } } });
  const clear = () => update({ variables: { input: { id, version, billingInfo: null } } });
  // @ts-expect-error An update needs the identifier of its target.
  const nothing = () => update({ variables: { input: { version } } });
  // @ts-expect-error The schema has no such plan.
  const wrong = () => update({ variables: { input: { id, plan: 'PREMIUM' } } });
  const add = () =>
    create({ variables: { input: { slug: 'initrode', name: 'Initrode' }, connections: [] } });
  return (
    <form onReset={clear} onSubmit={add} onBlur={() => rename('Acme')} onCopy={nothing} onCut={wrong} />
  );
}

export const deletion = graphql`
  mutation EditingDeleteMutation($input: DeleteTenantInput!) {
    deleteTenant(input: $input) {
      deletedId @deleteRecord
    }
  }
`;
