// A day of a portal: every document, with its types, against a gateway with the demo data.
import assert from 'node:assert/strict';
import type { Answer, Fault } from './client.js';
import { readFragment } from './gql/fragment-masking.js';
import type {
  TenantCardFragment,
  TenantsQuery,
  TypedDocumentString,
  UpdateTenantInput,
} from './gql/graphql.js';
import * as write from './mutations.js';
import * as read from './queries.js';

/** Asks as one of the demo identities. */
export type Ask = <Data, Variables>(
  who: 'ada' | 'bob' | 'carol' | 'mallory',
  document: TypedDocumentString<Data, Variables>,
  variables: NoInfer<Variables>,
) => Promise<Answer<Data>>;

/** The data of an answer without errors. */
function whole<Data>({ data, errors }: Answer<Data>): Data {
  assert.deepEqual(errors, []);
  assert(data !== null);
  return data;
}

const told = (errors: Fault[]): string[] =>
  errors.map(({ path, extensions }) => `${path?.join('.')}: ${extensions.code}`);

export async function reading(ask: Ask): Promise<void> {
  const { me } = whole(await ask('carol', read.Me, {}));
  assert.equal(me.name, 'Carol');
  const places = me.memberships.map(({ role, source, tenant }) =>
    [readFragment(read.TenantCard, tenant).slug, role, source].join(' '),
  );
  assert.deepEqual(places.sort(), ['acme MEMBER GROUP', 'globex MEMBER DIRECT']);
  for (const who of ['ada', 'bob', 'mallory'] as const) whole(await ask(who, read.Me, {}));

  // What carol may not see is null, with its path in an error, and the rest is whole.
  const carols = await ask('carol', read.TenantPage, { slug: 'acme', history: true });
  assert.deepEqual(told(carols.errors).sort(), [
    'tenant.auditLog: FORBIDDEN',
    'tenant.billingInfo: FORBIDDEN',
    'tenant.integrations: FORBIDDEN',
  ]);
  const tenant = carols.data?.tenant;
  assert(tenant);
  assert.equal(tenant.auditLog, null);
  assert.equal(readFragment(read.TenantBilling, tenant).billingInfo, null);
  assert.equal(readFragment(read.TenantCard, tenant).name, 'Acme');
  // And where nobody asks for it, nobody is told.
  assert.equal(whole(await ask('ada', read.TenantPage, { slug: 'acme' })).tenant?.auditLog, undefined);
  const hidden = whole(await ask('mallory', read.TenantPage, { slug: 'acme' }));
  assert.equal(hidden.tenant, null);

  const subscription = readFragment(read.TenantCard, tenant).subscription;
  const { id } = readFragment(read.SubscriptionCard, subscription) ?? assert.fail();
  const found = whole(await ask('carol', read.SubscriptionById, { id })).subscription;
  assert.equal(readFragment(read.SubscriptionCard, found)?.plan, 'BUSINESS');
  const user = whole(await ask('bob', read.UserById, { id: me.id })).user;
  assert.deepEqual(user?.memberships, [{ role: 'MEMBER', tenant: { slug: 'acme' } }]);

  const { node } = whole(await ask('carol', read.NodeById, { id }));
  assert(node?.__typename === 'TenantSubscription');
  assert.equal(node.plan, 'BUSINESS');
  assert.equal(whole(await ask('mallory', read.NodeById, { id })).node, null);
  const { nodes } = whole(
    await ask('bob', read.NodesByIds, { ids: [me.id, id, 'sub_000000000000000000000000'] }),
  );
  assert.deepEqual(
    nodes.map((one) => one?.__typename),
    ['User', 'TenantSubscription', undefined],
  );
}

export async function lists(ask: Ask): Promise<void> {
  const orderBy = { field: 'SLUG', direction: 'ASC' } as const;
  const slugs: string[] = [];
  const page = async (after: string | null): Promise<void> => {
    const { tenants } = whole(await ask('ada', read.Tenants, { first: 4, after, orderBy }));
    assert.equal(tenants.totalCount, 6);
    slugs.push(...cards(tenants.edges).map((card) => card.slug));
    const { hasNextPage, endCursor } = readFragment(read.PageParts, tenants.pageInfo);
    if (hasNextPage) await page(endCursor);
  };
  await page(null);
  assert.deepEqual(slugs, ['acme', 'dezky', 'globex', 'hooli', 'initech', 'umbrella']);
  const back = whole(await ask('ada', read.Tenants, { last: 2, orderBy })).tenants;
  assert.deepEqual(
    cards(back.edges).map((card) => card.slug),
    ['initech', 'umbrella'],
  );
  const before = back.edges[0]?.cursor ?? assert.fail();
  const earlier = whole(await ask('ada', read.Tenants, { last: 1, before, orderBy })).tenants;
  assert.deepEqual(
    cards(earlier.edges).map((card) => card.slug),
    ['hooli'],
  );
  const few = whole(
    await ask('ada', read.Tenants, { filter: { status: ['SUSPENDED'], search: 'INI' } }),
  );
  assert.deepEqual(
    cards(few.tenants.edges).map((card) => card.name),
    ['Initech'],
  );

  const { users } = whole(await ask('ada', read.Users, { filter: { search: 'car' } }));
  assert.deepEqual(
    users.nodes.map((one) => one?.name),
    ['Carol'],
  );
  // A root field that cannot be null leaves no data at all.
  const refused = await ask('bob', read.Users, {});
  assert.equal(refused.data, null);
  assert.deepEqual(told(refused.errors), ['users: FORBIDDEN']);
  const { subscriptions } = whole(
    await ask('ada', read.Subscriptions, { filter: { status: ['UNPAID'] } }),
  );
  assert.deepEqual(
    subscriptions.nodes.map((one) => one?.tenant.slug),
    ['initech'],
  );
  const { auditLog } = whole(await ask('ada', read.History, { filter: { action: 'tenant.create' } }));
  const events = auditLog.nodes.flatMap((node) => (node ? [readFragment(read.EventRow, node)] : []));
  const made = events.map(
    ({ actorKind, target, tenant }) => `${actorKind} ${target?.__typename} ${tenant?.slug}`,
  );
  assert.deepEqual(
    made.sort(),
    slugs.map((slug) => `SYSTEM Tenant ${slug}`),
  );
}

function cards(edges: TenantsQuery['tenants']['edges']): TenantCardFragment[] {
  return edges.flatMap(({ node }) => (node ? [readFragment(read.TenantCard, node)] : []));
}

export async function tenants(ask: Ask): Promise<void> {
  const input = {
    slug: 'initrode',
    name: ' Initrode ',
    billingInfo: { email: 'billing@initrode.example' },
  };
  const made = whole(await ask('ada', write.CreateTenant, { input })).createTenant.tenant;
  const { id, name, version, plan } = readFragment(read.TenantCard, made);
  assert.deepEqual({ name, version, plan }, { name: 'Initrode', version: 1, plan: 'FREE' });

  const update = (input: Omit<UpdateTenantInput, 'id'>) =>
    ask('ada', write.UpdateTenant, { input: { id, ...input } });
  const billing = async (input: Omit<UpdateTenantInput, 'id'>) => {
    const { tenant } = whole(await update(input)).updateTenant;
    return readFragment(read.TenantBilling, tenant).billingInfo;
  };
  // Left out stays, null clears.
  const added = await billing({ version, name: 'Initrode Ltd', billingInfo: { vatId: 'DE123456789' } });
  assert.deepEqual([added?.email, added?.vatId], ['billing@initrode.example', 'DE123456789']);
  const cleared = await billing({ billingInfo: { email: null, vatId: undefined } });
  assert.deepEqual([cleared?.email, cleared?.vatId], [null, 'DE123456789']);
  assert.equal(await billing({ billingInfo: null }), null);

  // Who has read an older version is told the newer one's number, and nothing was changed.
  const stale = await update({ version, name: 'Initrode Inc' });
  assert.deepEqual(told(stale.errors), ['updateTenant: STALE_VERSION']);
  assert.equal(stale.errors[0]?.extensions.currentVersion, 4);
  // Every fault at once, each with its place in the input.
  const wrong = await update({ name: null, domains: ['initrode.example', 'com'] });
  assert.deepEqual(told(wrong.errors), ['updateTenant: BAD_USER_INPUT']);
  const places = wrong.errors[0]?.extensions.fields?.map((fault) => fault.path);
  assert.deepEqual(places?.sort(), ['input.domains.1', 'input.name']);
  const taken = await update({ slug: 'acme' });
  assert.equal(taken.errors[0]?.extensions.field, 'slug');

  const { deletedId } = whole(
    await ask('ada', write.DeleteTenant, { input: { id, version: 4 } }),
  ).deleteTenant;
  assert.equal(deletedId, id);
}

export async function people(ask: Ask): Promise<void> {
  const tenant = whole(await ask('ada', read.TenantPage, { slug: 'acme' })).tenant;
  const tenantId = readFragment(read.TenantCard, tenant)?.id ?? assert.fail();
  const input = { subject: 'somebody', email: 'somebody@example.org', name: 'Somebody' };
  const user = whole(await ask('ada', write.CreateUser, { input })).createUser.user;
  const userId = user.id;
  const changed = whole(await ask('ada', write.UpdateUser, { input: { id: userId, disabled: true } }));
  assert.deepEqual([changed.updateUser.user.disabled, changed.updateUser.user.version], [true, 2]);

  const member = { tenantId, userId };
  const added = whole(await ask('ada', write.AddTenantMember, { input: member })).addTenantMember;
  assert.equal(readFragment(read.MemberRow, added.membership).role, 'MEMBER');
  const promoted = await ask('bob', write.UpdateTenantMember, { input: { ...member, role: 'ADMIN' } });
  const { membership } = whole(promoted).updateTenantMember;
  assert.equal(readFragment(read.MemberRow, membership).role, 'ADMIN');
  const removed = whole(
    await ask('bob', write.RemoveTenantMember, { input: member }),
  ).removeTenantMember;
  assert.deepEqual(removed, {
    removedUserId: userId,
    tenant: { id: tenantId, members: { totalCount: 2 } },
  });
  assert.equal(
    whole(await ask('ada', write.DeleteUser, { input: { id: userId } })).deleteUser.deletedId,
    userId,
  );
}

export async function subscriptions(ask: Ask): Promise<void> {
  const tenant = whole(await ask('ada', read.TenantPage, { slug: 'umbrella' })).tenant;
  const card = readFragment(read.TenantCard, tenant) ?? assert.fail();
  assert.equal(card.subscription, null);
  const input = {
    tenantId: card.id,
    plan: 'STARTER',
    currentPeriodEnd: '2030-01-31T09:00:00+01:00',
  } as const;
  const made = whole(await ask('ada', write.CreateSubscription, { input })).createSubscription;
  const { id, status, currentPeriodEnd } = readFragment(read.SubscriptionCard, made.subscription);
  assert.deepEqual([status, currentPeriodEnd], ['TRIALING', '2030-01-31T08:00:00.000Z']);
  const change = { id, plan: 'BUSINESS', currentPeriodEnd: null } as const;
  const { subscription } = whole(
    await ask('ada', write.UpdateSubscription, { input: change }),
  ).updateSubscription;
  assert.equal(readFragment(read.SubscriptionCard, subscription).currentPeriodEnd, null);
  assert.equal(subscription.tenant.plan, 'BUSINESS');
  const gone = whole(await ask('ada', write.DeleteSubscription, { input: { id } })).deleteSubscription;
  assert.equal(gone.deletedId, id);
}
