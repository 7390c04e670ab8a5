// Uses Relay's runtime, store and connections with a gateway that has the demo data.
import assert from 'node:assert/strict';
import type { GraphQLTaggedNode, OperationType, VariablesOf } from 'relay-runtime';
import {
  commitMutation,
  createOperationDescriptor,
  type Environment,
  fetchQuery,
  getRequest,
  getSingularSelector,
} from 'relay-runtime';
import UpdateMutation, {
  type EditingUpdateMutation,
} from './__generated__/EditingUpdateMutation.graphql';
import MoreMembers, {
  type MemberListPaginationQuery,
} from './__generated__/MemberListPaginationQuery.graphql';
import Members, { type MemberList_tenant$data } from './__generated__/MemberList_tenant.graphql';
import KindsQuery, { type NodesQuery } from './__generated__/NodesQuery.graphql';
import MoreTenants, {
  type TenantListPaginationQuery,
} from './__generated__/TenantListPaginationQuery.graphql';
import ListQuery, { type TenantListQuery } from './__generated__/TenantListQuery.graphql';
import List, { type TenantList_query$data } from './__generated__/TenantList_query.graphql';
import PageQuery, { type TenantPageQuery } from './__generated__/TenantPageQuery.graphql';
import RefetchQuery, {
  type TenantPageRefetchQuery,
} from './__generated__/TenantPageRefetchQuery.graphql';
import Page, { type TenantPage_tenant$data } from './__generated__/TenantPage_tenant.graphql';

/** Fetches a query and retains its data in the store, as a mounted component does. */
async function fetchRetained<Query extends OperationType>(
  relay: Environment,
  query: GraphQLTaggedNode,
  variables: VariablesOf<Query>,
): Promise<Query['response']> {
  relay.retain(createOperationDescriptor(getRequest(query), variables));
  const data = await fetchQuery<Query>(relay, query, variables).toPromise();
  return data ?? assert.fail('no data');
}

/** Reads the current data of a fragment, which grows with each fetched page. */
function read<Data>(relay: Environment, fragment: typeof List, reference: unknown): Data {
  const selector = getSingularSelector(fragment, reference) ?? assert.fail('the reference has no such fragment');
  const { data, isMissingData } = relay.lookup(selector);
  assert.equal(isMissingData, false);
  return data as Data;
}

export async function tenants(ada: Environment): Promise<void> {
  const root = await fetchRetained<TenantListQuery>(ada, ListQuery, { count: 4 });
  assert.equal(root.me.name, 'Ada');
  const ids = () =>
    read<TenantList_query$data>(ada, List, root).tenants.edges.map(({ node }) => node?.id);
  const pageInfo = (read(ada, List, root) as { tenants: { pageInfo: { endCursor: string } } }).tenants
    .pageInfo;
  const first = ids();
  assert.equal(first.length, 4);
  await fetchRetained<TenantListPaginationQuery>(ada, MoreTenants, { count: 4, cursor: pageInfo.endCursor });
  assert.deepEqual(ids().slice(0, 4), first);
  assert.equal(new Set(ids()).size, 6);
}

export async function members(bob: Environment): Promise<void> {
  const { tenant } = await fetchRetained<TenantPageQuery>(bob, PageQuery, { slug: 'acme' });
  assert(tenant);
  const names = () =>
    read<MemberList_tenant$data>(bob, Members, tenant).members.edges.map(({ node }) => node?.user.name);
  assert.deepEqual(names(), ['Bob']);
  const { pageInfo } = (read(bob, Members, tenant) as { members: { pageInfo: { endCursor: string } } })
    .members;
  const more = { id: tenant.id, count: 1, cursor: pageInfo.endCursor };
  await fetchRetained<MemberListPaginationQuery>(bob, MoreMembers, more);
  assert.deepEqual(names(), ['Bob', 'Carol']);
}

export async function forbiddenFields(carol: Environment): Promise<void> {
  const { tenant } = await fetchRetained<TenantPageQuery>(carol, PageQuery, { slug: 'acme' });
  const { name, billingInfo } = read<TenantPage_tenant$data>(carol, Page, tenant);
  assert.equal(name, 'Acme');
  assert.equal(billingInfo.ok, false);
}

export async function editing(ada: Environment): Promise<void> {
  const { tenant } = await fetchRetained<TenantPageQuery>(ada, PageQuery, { slug: 'acme' });
  assert(tenant);
  const page = () => read<TenantPage_tenant$data>(ada, Page, tenant);
  const { name, version } = page();
  const update = (input: Omit<EditingUpdateMutation['variables']['input'], 'id'>) =>
    new Promise<readonly string[]>((resolve, reject) => {
      commitMutation<EditingUpdateMutation>(ada, {
        mutation: UpdateMutation,
        variables: { input: { id: tenant.id, ...input } },
        onCompleted: (_, errors) => resolve(errors?.map(({ message }) => message) ?? []),
        onError: reject,
      });
    });
  assert.deepEqual(await update({ version, billingInfo: { email: null } }), []);
  // The store recognises the tenant of the page by its identifier.
  const { billingInfo } = page();
  assert(billingInfo.ok);
  assert.deepEqual([page().version, billingInfo.value?.email], [version + 1, null]);
  await assert.rejects(update({ version, name: 'Late' }), /has changed since/);
  await fetchRetained<TenantPageRefetchQuery>(ada, RefetchQuery, { id: tenant.id });
  assert.equal(page().name, name);
  const kinds = await fetchRetained<NodesQuery>(ada, KindsQuery, { id: tenant.id, ids: [tenant.id] });
  assert.equal(kinds.node?.__typename, 'Tenant');
  assert.equal(kinds.node.user, null);
  assert.equal(kinds.nodes[0]?.slug, 'acme');
}
