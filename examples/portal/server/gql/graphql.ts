/* eslint-disable */
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = T | null | undefined;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /**
   * A timestamp in the format of RFC 3339, in UTC and with milliseconds: `2026-01-31T08:00:00.000Z`.
   * Inputs may have any offset from UTC, and are stored with millisecond precision.
   */
  DateTime: { input: string; output: string; }
  /** Any JSON value: an object, an array, a string, a number, a boolean or null. */
  JSON: { input: unknown; output: unknown; }
};

/** The capacity in which the actor made a change. */
export type ActorKind =
  /** A user who is a platform admin. */
  | 'PLATFORM_ADMIN'
  /** The gateway itself. */
  | 'SYSTEM'
  /** A user who is not a platform admin. */
  | 'USER';

/** The input of the mutation `addTenantMember`. */
export type AddTenantMemberInput = {
  /** The role of the new member. */
  role?: TenantRole;
  /** The identifier of the tenant (`ten_…`). */
  tenantId: Scalars['ID']['input'];
  /**
   * The identifier of the user (`usr_…`). Admins and owners of the tenant can add only users
   * whom they can see already. Platform admins can add any user.
   */
  userId: Scalars['ID']['input'];
};

/**
 * A filter for audit events. An event must match every field that is given. Omitted fields match
 * every event.
 */
export type AuditFilter = {
  /** Only events with exactly this action, for example `tenant.update` or `user.sync`. */
  action?: InputMaybe<Scalars['String']['input']>;
  /** Only changes that were made by the user with this identifier (`usr_…`). */
  actorId?: InputMaybe<Scalars['ID']['input']>;
  /** Only events at this time or later. */
  since?: InputMaybe<Scalars['DateTime']['input']>;
  /** Only events that concern the tenant with this identifier (`ten_…`). */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
  /** Only events before this time. */
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The billing information of a tenant. Null clears a field. Omitted fields keep their value. In a new tenant, they are null. */
export type BillingInfoInput = {
  /** The postal address of the company. */
  address?: InputMaybe<PostalAddressInput>;
  /** The registered name of the company: at most 200 characters. */
  companyName?: InputMaybe<Scalars['String']['input']>;
  /** The e-mail address to which invoices are sent: at most 254 bytes. */
  email?: InputMaybe<Scalars['String']['input']>;
  /** The VAT identification number, which starts with the code of its country: `DE123456789`. */
  vatId?: InputMaybe<Scalars['String']['input']>;
};

/** The input of the mutation `createSubscription`. */
export type CreateSubscriptionInput = {
  /** True if the subscription ends at the end of the current period, false if it is renewed. */
  cancelAtPeriodEnd?: Scalars['Boolean']['input'];
  /** The end of the current paid period or trial period. It must be after the start. */
  currentPeriodEnd?: InputMaybe<Scalars['DateTime']['input']>;
  /** The start of the current paid period or trial period. */
  currentPeriodStart?: InputMaybe<Scalars['DateTime']['input']>;
  /**
   * The plan of the subscription. The plan of a live subscription also becomes the tenant's
   * plan.
   */
  plan: Plan;
  /** The status of the subscription. */
  status?: TenantSubscriptionStatus;
  /** The identifiers of the subscription at the billing provider Stripe. */
  stripe?: InputMaybe<StripeHandlesInput>;
  /** The identifier of the tenant (`ten_…`). A tenant has at most one live subscription. */
  tenantId: Scalars['ID']['input'];
};

/** The input of the mutation `createTenant`. */
export type CreateTenantInput = {
  /** The billing information of the tenant. */
  billingInfo?: InputMaybe<BillingInfoInput>;
  /**
   * The DNS names of the tenant: at most 100. Each belongs to one tenant only. An
   * internationalized domain name may be given in Unicode or in ASCII form.
   */
  domains?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The names of the tenant in other services of the platform. */
  integrations?: InputMaybe<TenantIntegrationsInput>;
  /** The display name of the tenant: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** The plan of the tenant and of its first subscription. */
  plan?: Plan;
  /**
   * The unique name of the tenant in URLs and group names: 2 to 63 characters of `a-z`, `0-9`
   * and `-`, without `-` at either end.
   */
  slug: Scalars['String']['input'];
  /** The lifecycle status of the tenant. */
  status?: TenantStatus;
};

/** The input of the mutation `createUser`. */
export type CreateUserInput = {
  /** True to reject all requests of the user. */
  disabled?: Scalars['Boolean']['input'];
  /**
   * The e-mail address of the user: at most 254 bytes. The user's next query of `me` replaces it
   * with the address in the user's token, if the token has a valid one.
   */
  email: Scalars['String']['input'];
  /**
   * The issuer URL of the identity provider (the claim `iss`). It must be configured in the
   * gateway. If omitted, it is the first configured one.
   */
  issuer?: InputMaybe<Scalars['String']['input']>;
  /**
   * The display name of the user: 1 to 200 characters. The user's next query of `me` replaces it
   * with the name in the user's token, if the token has a valid one.
   */
  name: Scalars['String']['input'];
  /** True to make the user a platform admin. */
  platformAdmin?: Scalars['Boolean']['input'];
  /** The subject of the user at the identity provider (the claim `sub`): 1 to 255 characters. */
  subject: Scalars['String']['input'];
};

/** The input of the mutation `deleteSubscription`. */
export type DeleteSubscriptionInput = {
  /** The identifier of the subscription (`sub_…`). */
  id: Scalars['ID']['input'];
  /**
   * The version of the subscription that the client has read. If it is not the stored version,
   * the mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The input of the mutation `deleteTenant`. */
export type DeleteTenantInput = {
  /** The identifier of the tenant (`ten_…`). */
  id: Scalars['ID']['input'];
  /**
   * The version of the tenant that the client has read. If it is not the stored version, the
   * mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The input of the mutation `deleteUser`. */
export type DeleteUserInput = {
  /** The identifier of the user (`usr_…`). */
  id: Scalars['ID']['input'];
  /**
   * The version of the user that the client has read. If it is not the stored version, the
   * mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The origin of a membership. */
export type MembershipSource =
  /**
   * A mutation or a manual edit of the database granted the membership. The sync of the user's
   * groups does not touch it.
   */
  | 'DIRECT'
  /**
   * A group of the identity provider granted the membership. The next sync of the user's groups
   * may change or remove it.
   */
  | 'GROUP';

/** The direction in which a list is sorted. */
export type OrderDirection =
  /** Ascending: from A to Z, from the earliest to the latest. */
  | 'ASC'
  /** Descending: from Z to A, from the latest to the earliest. */
  | 'DESC';

/** The plan of a tenant or a subscription. */
export type Plan =
  /** The standard paid plan. */
  | 'BUSINESS'
  /** The largest paid plan. */
  | 'ENTERPRISE'
  /** The plan that is free of charge. */
  | 'FREE'
  /** The smallest paid plan. */
  | 'STARTER';

/**
 * A postal address. Each line has at most 200 characters. Null clears a field.
 * Omitted fields keep their value. In a new tenant, they are null.
 */
export type PostalAddressInput = {
  /** The name of the city. */
  city?: InputMaybe<Scalars['String']['input']>;
  /** The ISO 3166-1 alpha-2 code of the country, for example `DE`. */
  country?: InputMaybe<Scalars['String']['input']>;
  /** The first line of the address: street and house number. */
  line1?: InputMaybe<Scalars['String']['input']>;
  /** The second line of the address, for example a building or a floor. */
  line2?: InputMaybe<Scalars['String']['input']>;
  /** The postal code of the city. */
  postalCode?: InputMaybe<Scalars['String']['input']>;
  /** The name of the state, province or canton. */
  region?: InputMaybe<Scalars['String']['input']>;
};

/** The input of the mutation `removeTenantMember`. */
export type RemoveTenantMemberInput = {
  /** The identifier of the tenant (`ten_…`). */
  tenantId: Scalars['ID']['input'];
  /**
   * The identifier of the member's user (`usr_…`). With the viewer's own identifier, the viewer
   * leaves the tenant.
   */
  userId: Scalars['ID']['input'];
};

/**
 * The identifiers of a subscription at the billing provider Stripe, each with at most 200
 * characters. Null clears a field. Omitted fields keep their value. In a new subscription,
 * they are null.
 */
export type StripeHandlesInput = {
  /** The identifier of the customer at Stripe (`cus_…`). */
  customerId?: InputMaybe<Scalars['String']['input']>;
  /** The identifier of the price at Stripe (`price_…`). */
  priceId?: InputMaybe<Scalars['String']['input']>;
  /** The identifier of the subscription at Stripe (`sub_…`). */
  subscriptionId?: InputMaybe<Scalars['String']['input']>;
};

/**
 * A filter for tenants. A tenant must match every field that is given. Omitted fields and empty
 * lists match every tenant.
 */
export type TenantFilter = {
  /**
   * Only tenants with exactly this domain. An internationalized domain name may be given in
   * Unicode or in ASCII form.
   */
  domain?: InputMaybe<Scalars['String']['input']>;
  /** Only tenants with one of these plans. */
  plan?: InputMaybe<Array<Plan>>;
  /** Only tenants with a slug, a name or a domain that starts with this text. Case is ignored. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** Only tenants with one of these statuses. */
  status?: InputMaybe<Array<TenantStatus>>;
};

/**
 * The names of a tenant in other services of the platform. Null clears a field. Omitted fields keep
 * their value. In a new tenant, they are null.
 */
export type TenantIntegrationsInput = {
  /**
   * The group of the identity provider whose users are members of the tenant: at most 200
   * characters. Each group belongs to one tenant only.
   */
  authentikGroup?: InputMaybe<Scalars['String']['input']>;
  /** The identifier of the tenant's space in ownCloud Infinite Scale: at most 200 characters. */
  ocisSpace?: InputMaybe<Scalars['String']['input']>;
  /** The DNS name of the tenant's domain in the Stalwart mail server. */
  stalwartDomain?: InputMaybe<Scalars['String']['input']>;
};

/** The sort order of a list of tenants. Tenants with equal values are sorted by identifier. */
export type TenantOrder = {
  /** The direction in which the list is sorted. */
  direction: OrderDirection;
  /** The field by which the list is sorted. */
  field: TenantOrderField;
};

/** The fields by which a list of tenants can be sorted. */
export type TenantOrderField =
  /** The time at which the tenant was created. */
  | 'CREATED_AT'
  /** The display name of the tenant. Case is ignored. */
  | 'NAME'
  /** The slug of the tenant. */
  | 'SLUG'
  /** The time of the last change of the tenant. */
  | 'UPDATED_AT';

/** The role of a member in a tenant. Each role includes the permissions of the roles before it. */
export type TenantRole =
  /**
   * The member can also see billing information and the audit log, change name, domains and
   * billing information, and manage members and admins.
   */
  | 'ADMIN'
  /** The member can see the tenant, its subscriptions and its members. */
  | 'MEMBER'
  /** The member can also add, change and remove owners. */
  | 'OWNER';

/** The lifecycle status of a tenant. */
export type TenantStatus =
  /** The tenant is in use. */
  | 'ACTIVE'
  /** The tenant is closed and is not intended to be reopened. The same restrictions as for `SUSPENDED` apply. */
  | 'ARCHIVED'
  /**
   * The tenant was created and is not in use yet. Its members have the same rights
   * as in an active tenant.
   */
  | 'PENDING'
  /** The tenant is suspended. Its members can read it and leave it, and change nothing else. */
  | 'SUSPENDED';

/**
 * A filter for subscriptions. A subscription must match every field that is given. Omitted fields
 * and empty lists match every subscription.
 */
export type TenantSubscriptionFilter = {
  /** Only subscriptions with one of these plans. */
  plan?: InputMaybe<Array<Plan>>;
  /** Only subscriptions with one of these statuses. */
  status?: InputMaybe<Array<TenantSubscriptionStatus>>;
  /** Only subscriptions of the tenant with this identifier (`ten_…`). */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
};

/**
 * The sort order of a list of subscriptions. Subscriptions with equal values are sorted by
 * identifier.
 */
export type TenantSubscriptionOrder = {
  /** The direction in which the list is sorted. */
  direction: OrderDirection;
  /** The field by which the list is sorted. */
  field: TenantSubscriptionOrderField;
};

/** The fields by which a list of subscriptions can be sorted. */
export type TenantSubscriptionOrderField =
  /** The time at which the subscription was created. */
  | 'CREATED_AT'
  /** The end of the current period. Subscriptions without one count as earlier than all others. */
  | 'CURRENT_PERIOD_END'
  /** The time of the last change of the subscription. */
  | 'UPDATED_AT';

/**
 * The status of a subscription, in the terms of the billing provider. `CANCELED` and
 * `INCOMPLETE_EXPIRED` subscriptions are ended. All others are live.
 */
export type TenantSubscriptionStatus =
  /** The subscription is paid. */
  | 'ACTIVE'
  /** The subscription was canceled and is ended. */
  | 'CANCELED'
  /** The first payment is outstanding. */
  | 'INCOMPLETE'
  /** The first payment was never made, and the subscription is ended. */
  | 'INCOMPLETE_EXPIRED'
  /** A payment is late. */
  | 'PAST_DUE'
  /** The subscription is paused. */
  | 'PAUSED'
  /** The subscription is in its trial period. */
  | 'TRIALING'
  /** All attempts to collect a payment have failed. */
  | 'UNPAID';

/** The input of the mutation `updateSubscription`. Omitted fields keep their value. */
export type UpdateSubscriptionInput = {
  /**
   * True if the subscription ends at the end of the current period, false if it is renewed. Must
   * not be null.
   */
  cancelAtPeriodEnd?: InputMaybe<Scalars['Boolean']['input']>;
  /**
   * The end of the current paid period or trial period. It must be after the start. Null clears
   * it.
   */
  currentPeriodEnd?: InputMaybe<Scalars['DateTime']['input']>;
  /** The start of the current paid period or trial period. Null clears it. */
  currentPeriodStart?: InputMaybe<Scalars['DateTime']['input']>;
  /** The identifier of the subscription (`sub_…`). */
  id: Scalars['ID']['input'];
  /**
   * The plan of the subscription. The plan of a live subscription also becomes the tenant's
   * plan. Must not be null.
   */
  plan?: InputMaybe<Plan>;
  /**
   * The status of the subscription. An ended subscription that gets a live status is the live
   * subscription of its tenant again, and the tenant takes over its plan. Must not be null.
   */
  status?: InputMaybe<TenantSubscriptionStatus>;
  /** The identifiers of the subscription at the billing provider Stripe. Null clears all of them. */
  stripe?: InputMaybe<StripeHandlesInput>;
  /**
   * The version of the subscription that the client has read. If it is not the stored version,
   * the mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The input of the mutation `updateTenant`. Omitted fields keep their value. */
export type UpdateTenantInput = {
  /** The billing information of the tenant. Null clears all of it. */
  billingInfo?: InputMaybe<BillingInfoInput>;
  /**
   * The DNS names of the tenant: at most 100. The list replaces the stored one. Each domain
   * belongs to one tenant only. Must not be null.
   */
  domains?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The identifier of the tenant (`ten_…`). */
  id: Scalars['ID']['input'];
  /**
   * The names of the tenant in other services of the platform. Null clears all of them.
   * Only platform admins may change them.
   */
  integrations?: InputMaybe<TenantIntegrationsInput>;
  /** The display name of the tenant: 1 to 200 characters. Must not be null. */
  name?: InputMaybe<Scalars['String']['input']>;
  /**
   * The plan of the tenant and of its live subscription. Only platform admins may change it.
   * Must not be null.
   */
  plan?: InputMaybe<Plan>;
  /**
   * The unique name of the tenant in URLs and group names: 2 to 63 characters of `a-z`, `0-9`
   * and `-`, without `-` at either end. Only platform admins may change it, and never for the
   * default tenant. Must not be null.
   */
  slug?: InputMaybe<Scalars['String']['input']>;
  /** The lifecycle status of the tenant. Only platform admins may change it. Must not be null. */
  status?: InputMaybe<TenantStatus>;
  /**
   * The version of the tenant that the client has read. If it is not the stored version, the
   * mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The input of the mutation `updateTenantMember`. */
export type UpdateTenantMemberInput = {
  /** The new role of the member. */
  role: TenantRole;
  /** The identifier of the tenant (`ten_…`). */
  tenantId: Scalars['ID']['input'];
  /** The identifier of the user who is a member of the tenant (`usr_…`). */
  userId: Scalars['ID']['input'];
};

/** The input of the mutation `updateUser`. Omitted fields keep their value. */
export type UpdateUserInput = {
  /** True to reject all requests of the user, false to allow them again. Must not be null. */
  disabled?: InputMaybe<Scalars['Boolean']['input']>;
  /**
   * The e-mail address of the user: at most 254 bytes. Null clears it. The user's next query of
   * `me` replaces it with the address in the user's token, if the token has a valid one.
   */
  email?: InputMaybe<Scalars['String']['input']>;
  /** The identifier of the user (`usr_…`). */
  id: Scalars['ID']['input'];
  /**
   * The display name of the user: 1 to 200 characters. Must not be null. The user's next query
   * of `me` replaces it with the name in the user's token, if the token has a valid one.
   */
  name?: InputMaybe<Scalars['String']['input']>;
  /**
   * True to make the user a platform admin, independently of the user's groups. False revokes
   * that right, until the groups of a token that is issued later grant it again. Must not be
   * null.
   */
  platformAdmin?: InputMaybe<Scalars['Boolean']['input']>;
  /**
   * The version of the user that the client has read. If it is not the stored version, the
   * mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
   * checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/**
 * A filter for users. A user must match every field that is given. Omitted fields match every
 * user.
 */
export type UserFilter = {
  /** True for disabled users only, false for enabled users only. */
  disabled?: InputMaybe<Scalars['Boolean']['input']>;
  /** True for platform admins only, false for all other users only. */
  platformAdmin?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only users whose name or e-mail address starts with this text. Case is ignored. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** Only members of the tenant with this identifier (`ten_…`). */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
};

/** The sort order of a list of users. Users with equal values are sorted by identifier. */
export type UserOrder = {
  /** The direction in which the list is sorted. */
  direction: OrderDirection;
  /** The field by which the list is sorted. */
  field: UserOrderField;
};

/** The fields by which a list of users can be sorted. */
export type UserOrderField =
  /** The time at which the user was created. */
  | 'CREATED_AT'
  /** The display name of the user. Case is ignored. */
  | 'NAME'
  /** The time of the last change of the user. */
  | 'UPDATED_AT';

export type PageOfFragment = { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null };

export type SubscriptionSummaryFragment = { __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean };

export type TenantSummaryFragment = { __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null };

export type MeQueryVariables = Exact<{ [key: string]: never; }>;


export type MeQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, name: string, email: string | null, subject: string | null, role: TenantRole | null, platformAdmin: boolean | null, createdAt: string }, tenants: { __typename?: 'TenantConnection', totalCount: number, nodes: Array<{ __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null> }, subscriptions: { __typename?: 'TenantSubscriptionConnection', totalCount: number, nodes: Array<{ __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean, tenant: { __typename?: 'Tenant', slug: string, name: string } } | null> } };

export type TenantQueryVariables = Exact<{
  slug: Scalars['String']['input'];
}>;


export type TenantQuery = { __typename?: 'Query', me: { __typename?: 'User', platformAdmin: boolean | null }, tenant: { __typename?: 'Tenant', createdAt: string, updatedAt: string, version: number, id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, billingInfo: { __typename?: 'BillingInfo', companyName: string | null, email: string | null, vatId: string | null, address: { __typename?: 'PostalAddress', line1: string | null, line2: string | null, city: string | null, region: string | null, postalCode: string | null, country: string | null } | null } | null, subscription: { __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean } | null, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null };

export type TenantMembersQueryVariables = Exact<{
  slug: Scalars['String']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
}>;


export type TenantMembersQuery = { __typename?: 'Query', tenant: { __typename?: 'Tenant', members: { __typename?: 'MembershipConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'Membership', role: TenantRole, source: MembershipSource, since: string, user: { __typename?: 'User', id: string, name: string, email: string | null } } | null> } } | null };

export type UpdateTenantMutationVariables = Exact<{
  input: UpdateTenantInput;
}>;


export type UpdateTenantMutation = { __typename?: 'Mutation', updateTenant: { __typename?: 'UpdateTenantPayload', tenant: { __typename?: 'Tenant', slug: string, version: number } } };

export type TenantsQueryVariables = Exact<{
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<TenantFilter>;
}>;


export type TenantsQuery = { __typename?: 'Query', tenants: { __typename?: 'TenantConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const PageOfFragmentDoc = new TypedDocumentString(`
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
    `, {"fragmentName":"PageOf"}) as unknown as TypedDocumentString<PageOfFragment, unknown>;
export const SubscriptionSummaryFragmentDoc = new TypedDocumentString(`
    fragment SubscriptionSummary on TenantSubscription {
  id
  plan
  status
  currentPeriodStart
  currentPeriodEnd
  cancelAtPeriodEnd
}
    `, {"fragmentName":"SubscriptionSummary"}) as unknown as TypedDocumentString<SubscriptionSummaryFragment, unknown>;
export const TenantSummaryFragmentDoc = new TypedDocumentString(`
    fragment TenantSummary on Tenant {
  id
  slug
  name
  status
  plan
  domains
  myMembership {
    role
  }
}
    `, {"fragmentName":"TenantSummary"}) as unknown as TypedDocumentString<TenantSummaryFragment, unknown>;
export const MeDocument = new TypedDocumentString(`
    query Me {
  me {
    id
    name
    email
    subject
    role
    platformAdmin
    createdAt
  }
  tenants(first: 6, orderBy: {field: NAME, direction: ASC}) {
    totalCount
    nodes {
      ...TenantSummary
    }
  }
  subscriptions(
    first: 6
    filter: {status: [TRIALING, ACTIVE, PAST_DUE, UNPAID, PAUSED, INCOMPLETE]}
  ) {
    totalCount
    nodes {
      ...SubscriptionSummary
      tenant {
        slug
        name
      }
    }
  }
}
    fragment SubscriptionSummary on TenantSubscription {
  id
  plan
  status
  currentPeriodStart
  currentPeriodEnd
  cancelAtPeriodEnd
}
fragment TenantSummary on Tenant {
  id
  slug
  name
  status
  plan
  domains
  myMembership {
    role
  }
}`, {"hash":"6d8ab4a902cfa109a9b1c0b8907a4a7e855548c1646c526717fefc5936646376"}) as unknown as TypedDocumentString<MeQuery, MeQueryVariables>;
export const TenantDocument = new TypedDocumentString(`
    query Tenant($slug: String!) {
  me {
    platformAdmin
  }
  tenant(slug: $slug) {
    ...TenantSummary
    createdAt
    updatedAt
    version
    billingInfo {
      companyName
      email
      vatId
      address {
        line1
        line2
        city
        region
        postalCode
        country
      }
    }
    subscription {
      ...SubscriptionSummary
    }
  }
}
    fragment SubscriptionSummary on TenantSubscription {
  id
  plan
  status
  currentPeriodStart
  currentPeriodEnd
  cancelAtPeriodEnd
}
fragment TenantSummary on Tenant {
  id
  slug
  name
  status
  plan
  domains
  myMembership {
    role
  }
}`, {"hash":"374d9eae814780198fd50c2cd8dff87059f21daacb0d289c755b43f5564060eb"}) as unknown as TypedDocumentString<TenantQuery, TenantQueryVariables>;
export const TenantMembersDocument = new TypedDocumentString(`
    query TenantMembers($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {
  tenant(slug: $slug) {
    members(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo {
        ...PageOf
      }
      nodes {
        role
        source
        since
        user {
          id
          name
          email
        }
      }
    }
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`, {"hash":"3f5fed5d4748e2cb75e3f3e779c6d95663a8ec21b515f7b4207b7085c4c504c3"}) as unknown as TypedDocumentString<TenantMembersQuery, TenantMembersQueryVariables>;
export const UpdateTenantDocument = new TypedDocumentString(`
    mutation UpdateTenant($input: UpdateTenantInput!) {
  updateTenant(input: $input) {
    tenant {
      slug
      version
    }
  }
}
    `, {"hash":"385d9df7ca0dac9db0ccd889f6c3f8b289be2cb18dd72a0110a72ef8cf6a9024"}) as unknown as TypedDocumentString<UpdateTenantMutation, UpdateTenantMutationVariables>;
export const TenantsDocument = new TypedDocumentString(`
    query Tenants($first: Int, $after: String, $last: Int, $before: String, $filter: TenantFilter) {
  tenants(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
    orderBy: {field: NAME, direction: ASC}
  ) {
    totalCount
    pageInfo {
      ...PageOf
    }
    nodes {
      ...TenantSummary
    }
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment TenantSummary on Tenant {
  id
  slug
  name
  status
  plan
  domains
  myMembership {
    role
  }
}`, {"hash":"9424e3d492bfec771a32cedf05d7522f7e7f7cb710f263fde38a1d9a8df00101"}) as unknown as TypedDocumentString<TenantsQuery, TenantsQueryVariables>;