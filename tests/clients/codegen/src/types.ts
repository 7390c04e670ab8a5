// What the types must hold, and what they must refuse. Nothing here runs: `tsc` is the check. Where a
// line below `@ts-expect-error` is right after all, that is the error.
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
import type { ask, Settings } from './client.js';

/** Compiles where both are one type, and not where one is only assignable to the other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const hold = <_Statement extends true>(): void => {};

export function scalars(me: MeQuery['me'], event: FragmentType<typeof EventRow>): void {
  hold<Same<typeof me.id, string>>();
  hold<Same<typeof me.createdAt, string>>();
  hold<Same<typeof me.lastSeenAt, string | null>>();
  hold<Same<typeof me.version, number>>();
  hold<Same<typeof me.platformAdmin, boolean | null>>();
  const { changes } = readFragment(EventRow, event);
  hold<Same<typeof changes, unknown>>();
  // @ts-expect-error A moment is text, not a Date.
  me.createdAt.getTime();
  // @ts-expect-error JSON is to be looked at before it is used.
  changes.name;
  // @ts-expect-error There is no such field.
  me.surname;
  // @ts-expect-error There is, but nobody has asked for it here.
  me.memberships[0]?.user;
}

export function nulls(page: TenantPageQuery): string {
  // @ts-expect-error A tenant that the viewer does not see is null.
  page.tenant.createdAt;
  if (!page.tenant) return 'not found';
  // @ts-expect-error A platform admin may have no membership.
  page.tenant.myMembership.role;
  // @ts-expect-error The history is there only where it was asked for, and null for who may not see it.
  page.tenant.auditLog.edges;
  // @ts-expect-error No page is sure to have a first element.
  page.tenant.auditLog?.edges[0].cursor;
  const { billingInfo } = readFragment(TenantBilling, page.tenant);
  // @ts-expect-error Billing is null for a plain member.
  billingInfo.email;
  hold<Same<NonNullable<typeof billingInfo>['email'], string | null>>();
  return billingInfo?.address?.city ?? page.tenant.createdAt;
}

export function masks(tenants: TenantsQuery): string[] {
  return tenants.tenants.edges.flatMap(({ cursor, node }) => {
    hold<Same<typeof cursor, string>>();
    // @ts-expect-error An element that cannot be read is null.
    readFragment(TenantCard, node).slug;
    if (!node) return [];
    // @ts-expect-error What a fragment asks for is for who has the fragment.
    node.slug;
    // @ts-expect-error Nor with another fragment.
    readFragment(SubscriptionCard, node);
    const card = readFragment(TenantCard, node);
    // @ts-expect-error A fragment in a fragment is masked, too.
    card.subscription?.plan;
    return [card.slug, readFragment(SubscriptionCard, card.subscription)?.plan ?? card.plan];
  });
}

export function members(page: TenantPageQuery): void {
  type Element = NonNullable<TenantPageQuery['tenant']>['members']['nodes'][number];
  hold<Same<Element, FragmentType<typeof MemberRow> | null>>();
  type Page = NonNullable<TenantPageQuery['tenant']>['members']['pageInfo'];
  hold<Same<Page, FragmentType<typeof PageParts>>>();
  hold<Same<NonNullable<typeof page.tenant>['members']['totalCount'], number>>();
}

export function abstract(node: NodeByIdQuery['node'], nodes: NodesByIdsQuery['nodes']): string {
  type Kinds = 'AuditEvent' | 'Tenant' | 'TenantSubscription' | 'User';
  hold<Same<NonNullable<typeof node>['__typename'], Kinds>>();
  // @ts-expect-error What does not exist for the viewer is null in its place.
  nodes.map((one) => one.id);
  // @ts-expect-error It may not exist for the viewer.
  node.id;
  if (!node) return '';
  // @ts-expect-error Not every node has a slug.
  node.slug;
  switch (node.__typename) {
    case 'Tenant':
      return node.slug;
    case 'User':
      // @ts-expect-error A user has none.
      node.slug;
      return node.name;
    case 'TenantSubscription':
      hold<Same<typeof node.plan, Plan>>();
      return node.plan;
    case 'AuditEvent':
      return node.action;
  }
}

export function enums(plan: Plan): number {
  // @ts-expect-error There is no such plan.
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
      // A plan that is newer than this client.
      hold<Same<typeof plan, '%future added value'>>();
      return 4;
  }
}

// @ts-expect-error A plan that is newer than this client has no case.
export function closed(plan: Exclude<Plan, 'STARTER' | 'BUSINESS' | 'ENTERPRISE'>): number {
  switch (plan) {
    case 'FREE':
      return 0;
  }
}

const id = 'ten_000000000000000000000000';

/** Left out and null are two things, and both are right where the schema has a null. */
export const updates: UpdateTenantInput[] = [
  { id },
  { id, version: 3, name: 'Acme' },
  { id, billingInfo: null },
  { id, billingInfo: { vatId: null } },
  { id, billingInfo: { address: { line2: undefined, city: 'Berlin' } }, domains: [] },
  { id, integrations: { authentikGroup: null, ocisSpace: 'acme' }, status: 'SUSPENDED' },
  // @ts-expect-error An update says of what.
  { name: 'Acme' },
  // @ts-expect-error There is no such field.
  { id, surname: 'Acme' },
  // @ts-expect-error A version is a number.
  { id, version: '3' },
  // @ts-expect-error A list has no null in it.
  { id, domains: [null] },
];

export const periods: UpdateSubscriptionInput[] = [
  { id, currentPeriodEnd: null, stripe: null },
  { id, currentPeriodEnd: '2026-01-31T08:00:00.000Z' },
  // @ts-expect-error A moment is sent as text.
  { id, currentPeriodEnd: new Date(0) },
];

export const newMembers: AddTenantMemberInput[] = [
  { tenantId: id, userId: id },
  { tenantId: id, userId: id, role: 'OWNER' },
  // @ts-expect-error What has a default can be left out, and is never null.
  { tenantId: id, userId: id, role: null },
];

/** A document is good for its own variables alone, and its answer has its own type. */
export async function documents(send: typeof ask, settings: Settings): Promise<void> {
  const { data } = await send(settings, NodeById, { id });
  hold<Same<typeof data, NodeByIdQuery | null>>();
  // @ts-expect-error Nothing may have run.
  data.node;
  // @ts-expect-error It needs an identifier.
  await send(settings, NodeById, {});
  // @ts-expect-error It has no such variable.
  await send(settings, NodeById, { id, slug: 'acme' });
  // @ts-expect-error An identifier is text.
  await send(settings, NodeById, { id: 1 });
  const variables: TenantPageQueryVariables = { slug: 'acme', role: null };
  // @ts-expect-error These are another document's variables.
  await send(settings, NodeById, variables);
}

export function payload({ updateTenant: { tenant } }: UpdateTenantMutation): number {
  // @ts-expect-error The document has its fields in a fragment.
  tenant.version;
  return readFragment(TenantCard, tenant).version;
}
