// Type tests: the code that must compile and the code that must not. Nothing here runs, `tsc` is the
// test. It reports a `@ts-expect-error` whose next line compiles.
import type { MemberRow, PageParts } from './queries.js';
import { EventRow, NodeById, SubscriptionCard, TenantBilling, TenantCard } from './queries.js';
import type { FragmentType } from './gql/fragment-masking.js';
import { readFragment } from './gql/fragment-masking.js';
import type {
  AddTenantMemberInput,
  MeQuery,
  NodeByIdQuery,
  NodesByIdsQuery,
  Plan,
  TenantPageQuery,
  TenantPageQueryVariables,
  TenantsQuery,
  UpdateSubscriptionInput,
  UpdateTenantInput,
  UpdateTenantMutation,
} from './gql/graphql.js';
import type { execute, Settings } from './client.js';

/** Is `true` only if both types are identical. Assignable types are not enough. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const assertType = <_Statement extends true>(): void => {};

export function scalars(me: MeQuery['me'], event: FragmentType<typeof EventRow>): void {
  assertType<Same<typeof me.id, string>>();
  assertType<Same<typeof me.createdAt, string>>();
  assertType<Same<typeof me.lastSeenAt, string | null>>();
  assertType<Same<typeof me.version, number>>();
  assertType<Same<typeof me.platformAdmin, boolean | null>>();
  const { changes } = readFragment(EventRow, event);
  assertType<Same<typeof changes, unknown>>();
  // @ts-expect-error A DateTime is a string, not a Date.
  me.createdAt.getTime();
  // @ts-expect-error JSON is `unknown` and has to be narrowed before use.
  changes.name;
  // @ts-expect-error The schema has no such field.
  me.surname;
  // @ts-expect-error The schema has the field, but this document does not select it.
  me.memberships[0]?.user;
}

export function nulls(page: TenantPageQuery): string {
  // @ts-expect-error A tenant that the viewer cannot see is null.
  page.tenant.createdAt;
  if (!page.tenant) return 'not found';
  // @ts-expect-error A platform admin may have no membership.
  page.tenant.myMembership.role;
  // @ts-expect-error The audit log may be excluded by `@include`, and null if the viewer may not see it.
  page.tenant.auditLog.edges;
  // @ts-expect-error A page may be empty.
  page.tenant.auditLog?.edges[0].cursor;
  const { billingInfo } = readFragment(TenantBilling, page.tenant);
  // @ts-expect-error Billing is null for a MEMBER.
  billingInfo.email;
  assertType<Same<NonNullable<typeof billingInfo>['email'], string | null>>();
  return billingInfo?.address?.city ?? page.tenant.createdAt;
}

export function masks(tenants: TenantsQuery): string[] {
  return tenants.tenants.edges.flatMap(({ cursor, node }) => {
    assertType<Same<typeof cursor, string>>();
    // @ts-expect-error An unreadable element is null.
    readFragment(TenantCard, node).slug;
    if (!node) return [];
    // @ts-expect-error The fields of a fragment are masked outside of it.
    node.slug;
    // @ts-expect-error Another fragment does not unmask them.
    readFragment(SubscriptionCard, node);
    const card = readFragment(TenantCard, node);
    // @ts-expect-error A nested fragment is masked, too.
    card.subscription?.plan;
    return [card.slug, readFragment(SubscriptionCard, card.subscription)?.plan ?? card.plan];
  });
}

export function members(page: TenantPageQuery): void {
  type Element = NonNullable<TenantPageQuery['tenant']>['members']['nodes'][number];
  assertType<Same<Element, FragmentType<typeof MemberRow> | null>>();
  type Page = NonNullable<TenantPageQuery['tenant']>['members']['pageInfo'];
  assertType<Same<Page, FragmentType<typeof PageParts>>>();
  assertType<Same<NonNullable<typeof page.tenant>['members']['totalCount'], number>>();
}

export function abstract(node: NodeByIdQuery['node'], nodes: NodesByIdsQuery['nodes']): string {
  type Kinds = 'AuditEvent' | 'Invitation' | 'Tenant' | 'TenantSubscription' | 'User';
  assertType<Same<NonNullable<typeof node>['__typename'], Kinds>>();
  // @ts-expect-error A node that does not exist for the viewer is null in its position.
  nodes.map((one) => one.id);
  // @ts-expect-error The node may not exist for the viewer.
  node.id;
  if (!node) return '';
  // @ts-expect-error Not every node has a slug.
  node.slug;
  switch (node.__typename) {
    case 'Tenant':
      return node.slug;
    case 'User':
      // @ts-expect-error A user has no slug.
      node.slug;
      return node.name;
    case 'TenantSubscription':
      assertType<Same<typeof node.plan, Plan>>();
      return node.plan;
    case 'AuditEvent':
      return node.action;
    case 'Invitation':
      return node.__typename;
  }
}

export function enums(plan: Plan): number {
  // @ts-expect-error The schema has no such plan.
  const wrong: Plan = 'PREMIUM';
  void wrong;
  switch (plan) {
    case 'FREE':
      return 0;
    case 'STARTER':
      return 1;
    case 'BUSINESS':
      return 2;
    case 'ENTERPRISE':
      return 3;
    default:
      // A plan that was added after this client was built.
      assertType<Same<typeof plan, '%future added value'>>();
      return 4;
  }
}

// @ts-expect-error The switch has no case for a plan that was added after this client was built.
export function closed(plan: Exclude<Plan, 'STARTER' | 'BUSINESS' | 'ENTERPRISE'>): number {
  switch (plan) {
    case 'FREE':
      return 0;
  }
}

const id = 'ten_000000000000000000000000';

/** Omitting a field and sending null differ. Both compile if the field is nullable. */
export const updates: UpdateTenantInput[] = [
  { id },
  { id, version: 3, name: 'Acme' },
  { id, billingInfo: null },
  { id, billingInfo: { vatId: null } },
  { id, billingInfo: { address: { line2: undefined, city: 'Berlin' } }, domains: [] },
  { id, integrations: { authentikGroup: null, ocisSpace: 'acme' }, status: 'SUSPENDED' },
  // @ts-expect-error An update needs the identifier of its target.
  { name: 'Acme' },
  // @ts-expect-error The schema has no such field.
  { id, surname: 'Acme' },
  // @ts-expect-error A version is a number.
  { id, version: '3' },
  // @ts-expect-error The elements of this list are non-null.
  { id, domains: [null] },
];

export const periods: UpdateSubscriptionInput[] = [
  { id, currentPeriodEnd: null, stripe: null },
  { id, currentPeriodEnd: '2026-01-31T08:00:00.000Z' },
  // @ts-expect-error A DateTime is sent as a string.
  { id, currentPeriodEnd: new Date(0) },
];

export const newMembers: AddTenantMemberInput[] = [
  { tenantId: id, userId: id },
  { tenantId: id, userId: id, role: 'OWNER' },
  // @ts-expect-error A field with a default can be omitted but not null.
  { tenantId: id, userId: id, role: null },
];

/** A document accepts only its own variables, and its response has its own type. */
export async function documents(send: typeof execute, settings: Settings): Promise<void> {
  const { data } = await send(settings, NodeById, { id });
  assertType<Same<typeof data, NodeByIdQuery | null>>();
  // @ts-expect-error The data is null if nothing was executed.
  data.node;
  // @ts-expect-error The variable `id` is missing.
  await send(settings, NodeById, {});
  // @ts-expect-error The document has no such variable.
  await send(settings, NodeById, { id, slug: 'acme' });
  // @ts-expect-error An identifier is a string.
  await send(settings, NodeById, { id: 1 });
  const variables: TenantPageQueryVariables = { slug: 'acme', role: null };
  // @ts-expect-error These are the variables of another document.
  await send(settings, NodeById, variables);
}

export function payload({ updateTenant: { tenant } }: UpdateTenantMutation): number {
  // @ts-expect-error The document selects its fields in a fragment, which masks them.
  tenant.version;
  return readFragment(TenantCard, tenant).version;
}
