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

/** The input of the mutation `acceptInvitation`. */
export type AcceptInvitationInput = {
  /** The token of the invitation, from the link that the invited person has received. */
  token: Scalars['String']['input'];
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

/** The kind of a change. */
export type ChangeKind =
  /** The object was created. */
  | 'CREATED'
  /** The object was deleted. */
  | 'DELETED'
  /** The object was changed. */
  | 'UPDATED';

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

/** The status of an invitation. */
export type InvitationStatus =
  /** The invitation was accepted. */
  | 'ACCEPTED'
  /** The invitation was not accepted in time. It can be renewed. */
  | 'EXPIRED'
  /** The invitation can be accepted. */
  | 'PENDING'
  /** The invitation was revoked. */
  | 'REVOKED';

/** The input of the mutation `inviteTenantMember`. */
export type InviteTenantMemberInput = {
  /** The e-mail address of the person to invite. */
  email: Scalars['String']['input'];
  /** The number of days after which the invitation expires: 1 to 30. */
  expiresInDays?: Scalars['Int']['input'];
  /** The role to offer. */
  role?: TenantRole;
  /** The identifier of the tenant (`ten_…`). */
  tenantId: Scalars['ID']['input'];
};

/** The status of the e-mail message of an invitation. */
export type MailStatus =
  /** The message could not be sent. */
  | 'FAILED'
  /** The gateway sends no message, because mail is not configured. */
  | 'NONE'
  /** The gateway has not sent the message yet. */
  | 'QUEUED'
  /** The mail server has accepted the message. */
  | 'SENT';

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
 * The least right that a guarded field or mutation requires. Platform admins meet every
 * requirement.
 */
export type Requirement =
  /** The viewer is a platform admin. */
  | 'PLATFORM_ADMIN'
  /** The object is the viewer's own user. */
  | 'SELF'
  /** The viewer is an admin or an owner of the tenant to which the object belongs. */
  | 'TENANT_ADMIN'
  /** The viewer is a member of the tenant to which the object belongs. */
  | 'TENANT_MEMBER'
  /** The viewer is an owner of the tenant to which the object belongs. */
  | 'TENANT_OWNER';

/** The input of the mutation `resendInvitation`. */
export type ResendInvitationInput = {
  /** The number of days after which the invitation expires, from now on: 1 to 30. */
  expiresInDays?: Scalars['Int']['input'];
  /** The identifier of the invitation (`inv_…`). */
  id: Scalars['ID']['input'];
  /**
   * The version of the invitation that the client has read. If it is not the stored version, the
   * error is `STALE_VERSION`. If omitted or null, the version is not checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** The input of the mutation `revokeInvitation`. */
export type RevokeInvitationInput = {
  /** The identifier of the invitation (`inv_…`). */
  id: Scalars['ID']['input'];
  /**
   * The version of the invitation that the client has read. If it is not the stored version, the
   * error is `STALE_VERSION`. If omitted or null, the version is not checked.
   */
  version?: InputMaybe<Scalars['Int']['input']>;
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
  /**
   * Only tenants with a slug, a name or a domain that starts with this text. Case is ignored, but
   * accents and spaces are not. A text without a visible character matches every tenant. At most
   * 10,000 matches can be sorted by `orderBy`.
   */
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
  /**
   * Only users whose name or e-mail address starts with this text. Case is ignored, but accents and
   * spaces are not. A text without a visible character matches every user. At most 10,000 matches
   * can be sorted by `orderBy`.
   */
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

export type TenantAuditLogQueryVariables = Exact<{
  slug: Scalars['String']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AuditFilter>;
}>;


export type TenantAuditLogQuery = { __typename?: 'Query', tenant: { __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, auditLog: { __typename?: 'AuditEventConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'AuditEvent', id: string, at: string, action: string, actorKind: ActorKind, changes: unknown | null, requestId: string | null, actor: { __typename?: 'User', id: string, name: string } | null, tenant: { __typename?: 'Tenant', slug: string, name: string } | null, target:
          | { __typename: 'AuditEvent', id: string }
          | { __typename: 'Invitation', id: string }
          | { __typename: 'Tenant', slug: string, name: string, id: string }
          | { __typename: 'TenantSubscription', id: string }
          | { __typename: 'User', name: string, id: string }
         | null } | null> } | null, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null };

export type AuditLogQueryVariables = Exact<{
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AuditFilter>;
}>;


export type AuditLogQuery = { __typename?: 'Query', auditLog: { __typename?: 'AuditEventConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'AuditEvent', id: string, at: string, action: string, actorKind: ActorKind, changes: unknown | null, requestId: string | null, actor: { __typename?: 'User', id: string, name: string } | null, tenant: { __typename?: 'Tenant', slug: string, name: string } | null, target:
        | { __typename: 'AuditEvent', id: string }
        | { __typename: 'Invitation', id: string }
        | { __typename: 'Tenant', slug: string, name: string, id: string }
        | { __typename: 'TenantSubscription', id: string }
        | { __typename: 'User', name: string, id: string }
       | null } | null> } };

export type PageOfFragment = { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null };

export type SubscriptionSummaryFragment = { __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean };

export type TenantSummaryFragment = { __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null };

export type EditableTenantFragment = { __typename?: 'Tenant', id: string, slug: string, name: string, domains: Array<string>, version: number, billingInfo: { __typename?: 'BillingInfo', companyName: string | null, email: string | null, vatId: string | null, address: { __typename?: 'PostalAddress', line1: string | null, line2: string | null, city: string | null, region: string | null, postalCode: string | null, country: string | null } | null } | null };

export type UserSummaryFragment = { __typename?: 'User', id: string, name: string, email: string | null, platformAdmin: boolean | null, disabled: boolean | null, lastSeenAt: string | null };

export type AuditPageFragment = { __typename?: 'AuditEventConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'AuditEvent', id: string, at: string, action: string, actorKind: ActorKind, changes: unknown | null, requestId: string | null, actor: { __typename?: 'User', id: string, name: string } | null, tenant: { __typename?: 'Tenant', slug: string, name: string } | null, target:
      | { __typename: 'AuditEvent', id: string }
      | { __typename: 'Invitation', id: string }
      | { __typename: 'Tenant', slug: string, name: string, id: string }
      | { __typename: 'TenantSubscription', id: string }
      | { __typename: 'User', name: string, id: string }
     | null } | null> };

export type InvitationSummaryFragment = { __typename?: 'Invitation', id: string, email: string, role: TenantRole, status: InvitationStatus, mail: MailStatus, createdAt: string, expiresAt: string, version: number, invitedBy: { __typename?: 'User', name: string } | null };

export type TenantInvitationsQueryVariables = Exact<{
  slug: Scalars['String']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
}>;


export type TenantInvitationsQuery = { __typename?: 'Query', tenant: { __typename?: 'Tenant', invitations: { __typename?: 'InvitationConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'Invitation', id: string, email: string, role: TenantRole, status: InvitationStatus, mail: MailStatus, createdAt: string, expiresAt: string, version: number, invitedBy: { __typename?: 'User', name: string } | null } | null> } | null } | null };

export type InvitationPreviewQueryVariables = Exact<{
  token: Scalars['String']['input'];
}>;


export type InvitationPreviewQuery = { __typename?: 'Query', me: { __typename?: 'User', name: string, email: string | null }, invitation: { __typename?: 'InvitationPreview', tenantName: string, role: TenantRole, email: string, expiresAt: string } | null };

export type InviteTenantMemberMutationVariables = Exact<{
  input: InviteTenantMemberInput;
}>;


export type InviteTenantMemberMutation = { __typename?: 'Mutation', inviteTenantMember: { __typename?: 'InviteTenantMemberPayload', token: string | null, acceptUrl: string | null, invitation: { __typename?: 'Invitation', id: string, email: string, role: TenantRole, status: InvitationStatus, mail: MailStatus, createdAt: string, expiresAt: string, version: number, invitedBy: { __typename?: 'User', name: string } | null } } };

export type ResendInvitationMutationVariables = Exact<{
  input: ResendInvitationInput;
}>;


export type ResendInvitationMutation = { __typename?: 'Mutation', resendInvitation: { __typename?: 'ResendInvitationPayload', token: string | null, acceptUrl: string | null, invitation: { __typename?: 'Invitation', id: string, email: string, role: TenantRole, status: InvitationStatus, mail: MailStatus, createdAt: string, expiresAt: string, version: number, invitedBy: { __typename?: 'User', name: string } | null } } };

export type RevokeInvitationMutationVariables = Exact<{
  input: RevokeInvitationInput;
}>;


export type RevokeInvitationMutation = { __typename?: 'Mutation', revokeInvitation: { __typename?: 'RevokeInvitationPayload', invitation: { __typename?: 'Invitation', id: string } } };

export type AcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type AcceptInvitationMutation = { __typename?: 'Mutation', acceptInvitation: { __typename?: 'AcceptInvitationPayload', membership: { __typename?: 'Membership', role: TenantRole, tenant: { __typename?: 'Tenant', slug: string, name: string } } } };

export type TenantChangedSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type TenantChangedSubscription = { __typename?: 'Subscription', tenantChanged: { __typename?: 'TenantChange', kind: ChangeKind, tenant: { __typename?: 'Tenant', version: number } | null } };

export type TenantSubscriptionChangedSubscriptionVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type TenantSubscriptionChangedSubscription = { __typename?: 'Subscription', subscriptionChanged: { __typename?: 'TenantSubscriptionChange', kind: ChangeKind } };

export type TenantsChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type TenantsChangedSubscription = { __typename?: 'Subscription', tenantsChanged: { __typename?: 'TenantChange', kind: ChangeKind, tenant: { __typename?: 'Tenant', version: number } | null } };

export type ViewerChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type ViewerChangedSubscription = { __typename?: 'Subscription', meChanged: { __typename?: 'User', version: number } };

export type TenantMembersQueryVariables = Exact<{
  slug: Scalars['String']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<TenantRole>;
}>;


export type TenantMembersQuery = { __typename?: 'Query', tenant: { __typename?: 'Tenant', members: { __typename?: 'MembershipConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'Membership', role: TenantRole, source: MembershipSource, since: string, user: { __typename?: 'User', id: string, name: string, email: string | null } } | null> } } | null };

export type TenantMemberQueryVariables = Exact<{
  slug: Scalars['String']['input'];
  userId: Scalars['ID']['input'];
}>;


export type TenantMemberQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, platformAdmin: boolean | null }, tenant: { __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null, user: { __typename?: 'User', id: string, name: string, email: string | null, memberships: Array<{ __typename?: 'Membership', role: TenantRole, source: MembershipSource, since: string, tenant: { __typename?: 'Tenant', id: string } }> } | null };

export type AddTenantMemberMutationVariables = Exact<{
  input: AddTenantMemberInput;
}>;


export type AddTenantMemberMutation = { __typename?: 'Mutation', addTenantMember: { __typename?: 'AddTenantMemberPayload', membership: { __typename?: 'Membership', role: TenantRole } } };

export type UpdateTenantMemberMutationVariables = Exact<{
  input: UpdateTenantMemberInput;
}>;


export type UpdateTenantMemberMutation = { __typename?: 'Mutation', updateTenantMember: { __typename?: 'UpdateTenantMemberPayload', membership: { __typename?: 'Membership', role: TenantRole } } };

export type RemoveTenantMemberMutationVariables = Exact<{
  input: RemoveTenantMemberInput;
}>;


export type RemoveTenantMemberMutation = { __typename?: 'Mutation', removeTenantMember: { __typename?: 'RemoveTenantMemberPayload', removedUserId: string } };

export type SubscriptionsQueryVariables = Exact<{
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<TenantSubscriptionFilter>;
}>;


export type SubscriptionsQuery = { __typename?: 'Query', subscriptions: { __typename?: 'TenantSubscriptionConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean, tenant: { __typename?: 'Tenant', slug: string, name: string } } | null> } };

export type CreateSubscriptionMutationVariables = Exact<{
  input: CreateSubscriptionInput;
}>;


export type CreateSubscriptionMutation = { __typename?: 'Mutation', createSubscription: { __typename?: 'CreateSubscriptionPayload', subscription: { __typename?: 'TenantSubscription', id: string } } };

export type UpdateSubscriptionMutationVariables = Exact<{
  input: UpdateSubscriptionInput;
}>;


export type UpdateSubscriptionMutation = { __typename?: 'Mutation', updateSubscription: { __typename?: 'UpdateSubscriptionPayload', subscription: { __typename?: 'TenantSubscription', id: string } } };

export type TenantQueryVariables = Exact<{
  slug: Scalars['String']['input'];
}>;


export type TenantQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, platformAdmin: boolean | null }, tenant: { __typename?: 'Tenant', createdAt: string, id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, version: number, subscription: { __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean } | null, myMembership: { __typename?: 'Membership', role: TenantRole } | null, billingInfo: { __typename?: 'BillingInfo', companyName: string | null, email: string | null, vatId: string | null, address: { __typename?: 'PostalAddress', line1: string | null, line2: string | null, city: string | null, region: string | null, postalCode: string | null, country: string | null } | null } | null } | null };

export type TenantAdministrationQueryVariables = Exact<{
  slug: Scalars['String']['input'];
}>;


export type TenantAdministrationQuery = { __typename?: 'Query', tenant: { __typename?: 'Tenant', version: number, id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, integrations: { __typename?: 'TenantIntegrations', authentikGroup: string | null, ocisSpace: string | null, stalwartDomain: string | null } | null, subscription: { __typename?: 'TenantSubscription', version: number, id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean } | null, members: { __typename?: 'MembershipConnection', totalCount: number }, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null };

export type CreateTenantMutationVariables = Exact<{
  input: CreateTenantInput;
}>;


export type CreateTenantMutation = { __typename?: 'Mutation', createTenant: { __typename?: 'CreateTenantPayload', tenant: { __typename?: 'Tenant', slug: string } } };

export type UpdateTenantMutationVariables = Exact<{
  input: UpdateTenantInput;
}>;


export type UpdateTenantMutation = { __typename?: 'Mutation', updateTenant: { __typename?: 'UpdateTenantPayload', tenant: { __typename?: 'Tenant', id: string, slug: string, name: string, domains: Array<string>, version: number, billingInfo: { __typename?: 'BillingInfo', companyName: string | null, email: string | null, vatId: string | null, address: { __typename?: 'PostalAddress', line1: string | null, line2: string | null, city: string | null, region: string | null, postalCode: string | null, country: string | null } | null } | null } } };

export type DeleteTenantMutationVariables = Exact<{
  input: DeleteTenantInput;
}>;


export type DeleteTenantMutation = { __typename?: 'Mutation', deleteTenant: { __typename?: 'DeleteTenantPayload', deletedId: string } };

export type TenantsQueryVariables = Exact<{
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<TenantFilter>;
}>;


export type TenantsQuery = { __typename?: 'Query', tenants: { __typename?: 'TenantConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null> } };

export type UsersQueryVariables = Exact<{
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<UserFilter>;
}>;


export type UsersQuery = { __typename?: 'Query', users: { __typename?: 'UserConnection', totalCount: number, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<{ __typename?: 'User', id: string, name: string, email: string | null, platformAdmin: boolean | null, disabled: boolean | null, lastSeenAt: string | null } | null> } };

export type UserQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type UserQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string }, user: { __typename?: 'User', subject: string | null, createdAt: string, version: number, id: string, name: string, email: string | null, platformAdmin: boolean | null, disabled: boolean | null, lastSeenAt: string | null, memberships: Array<{ __typename?: 'Membership', role: TenantRole, source: MembershipSource, since: string, tenant: { __typename?: 'Tenant', id: string, slug: string, name: string } }> } | null };

export type UpdateUserMutationVariables = Exact<{
  input: UpdateUserInput;
}>;


export type UpdateUserMutation = { __typename?: 'Mutation', updateUser: { __typename?: 'UpdateUserPayload', user: { __typename?: 'User', version: number, id: string, name: string, email: string | null, platformAdmin: boolean | null, disabled: boolean | null, lastSeenAt: string | null } } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, name: string, platformAdmin: boolean | null } };

export type OverviewQueryVariables = Exact<{ [key: string]: never; }>;


export type OverviewQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, name: string, email: string | null, role: TenantRole | null, platformAdmin: boolean | null }, tenants: { __typename?: 'TenantConnection', totalCount: number, nodes: Array<{ __typename?: 'Tenant', id: string, slug: string, name: string, status: TenantStatus, plan: Plan, domains: Array<string>, myMembership: { __typename?: 'Membership', role: TenantRole } | null } | null> }, subscriptions: { __typename?: 'TenantSubscriptionConnection', totalCount: number, nodes: Array<{ __typename?: 'TenantSubscription', id: string, plan: Plan, status: TenantSubscriptionStatus, currentPeriodStart: string | null, currentPeriodEnd: string | null, cancelAtPeriodEnd: boolean, tenant: { __typename?: 'Tenant', slug: string, name: string } } | null> } };

export type ProfileQueryVariables = Exact<{ [key: string]: never; }>;


export type ProfileQuery = { __typename?: 'Query', me: { __typename?: 'User', id: string, name: string, email: string | null, subject: string | null, platformAdmin: boolean | null, lastSeenAt: string | null, createdAt: string, memberships: Array<{ __typename?: 'Membership', role: TenantRole, source: MembershipSource, since: string, tenant: { __typename?: 'Tenant', id: string, slug: string, name: string } }> } };

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
export const EditableTenantFragmentDoc = new TypedDocumentString(`
    fragment EditableTenant on Tenant {
  id
  slug
  name
  domains
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
}
    `, {"fragmentName":"EditableTenant"}) as unknown as TypedDocumentString<EditableTenantFragment, unknown>;
export const UserSummaryFragmentDoc = new TypedDocumentString(`
    fragment UserSummary on User {
  id
  name
  email
  platformAdmin
  disabled
  lastSeenAt
}
    `, {"fragmentName":"UserSummary"}) as unknown as TypedDocumentString<UserSummaryFragment, unknown>;
export const PageOfFragmentDoc = new TypedDocumentString(`
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
    `, {"fragmentName":"PageOf"}) as unknown as TypedDocumentString<PageOfFragment, unknown>;
export const AuditPageFragmentDoc = new TypedDocumentString(`
    fragment AuditPage on AuditEventConnection {
  pageInfo {
    ...PageOf
  }
  nodes {
    id
    at
    action
    actorKind
    actor {
      id
      name
    }
    tenant {
      slug
      name
    }
    target {
      __typename
      id
      ... on Tenant {
        slug
        name
      }
      ... on User {
        name
      }
    }
    changes
    requestId
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}`, {"fragmentName":"AuditPage"}) as unknown as TypedDocumentString<AuditPageFragment, unknown>;
export const InvitationSummaryFragmentDoc = new TypedDocumentString(`
    fragment InvitationSummary on Invitation {
  id
  email
  role
  status
  mail
  createdAt
  expiresAt
  version
  invitedBy {
    name
  }
}
    `, {"fragmentName":"InvitationSummary"}) as unknown as TypedDocumentString<InvitationSummaryFragment, unknown>;
export const TenantAuditLogDocument = new TypedDocumentString(`
    query TenantAuditLog($slug: String!, $first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {
  tenant(slug: $slug) {
    ...TenantSummary
    auditLog(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
    ) {
      ...AuditPage
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
}
fragment AuditPage on AuditEventConnection {
  pageInfo {
    ...PageOf
  }
  nodes {
    id
    at
    action
    actorKind
    actor {
      id
      name
    }
    tenant {
      slug
      name
    }
    target {
      __typename
      id
      ... on Tenant {
        slug
        name
      }
      ... on User {
        name
      }
    }
    changes
    requestId
  }
}`, {"hash":"23f3b271f12ec05de78323e3427e481d9e3e502a6033e6bd6d1b10ab47d954d4"}) as unknown as TypedDocumentString<TenantAuditLogQuery, TenantAuditLogQueryVariables>;
export const AuditLogDocument = new TypedDocumentString(`
    query AuditLog($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {
  auditLog(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
  ) {
    ...AuditPage
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment AuditPage on AuditEventConnection {
  pageInfo {
    ...PageOf
  }
  nodes {
    id
    at
    action
    actorKind
    actor {
      id
      name
    }
    tenant {
      slug
      name
    }
    target {
      __typename
      id
      ... on Tenant {
        slug
        name
      }
      ... on User {
        name
      }
    }
    changes
    requestId
  }
}`, {"hash":"32ad1475ea5662bf7dff258e94d717f3a4c0be5345e952da6a26584ceaac37d7"}) as unknown as TypedDocumentString<AuditLogQuery, AuditLogQueryVariables>;
export const TenantInvitationsDocument = new TypedDocumentString(`
    query TenantInvitations($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {
  tenant(slug: $slug) {
    invitations(
      first: $first
      after: $after
      last: $last
      before: $before
      status: [PENDING, EXPIRED]
    ) {
      totalCount
      pageInfo {
        ...PageOf
      }
      nodes {
        ...InvitationSummary
      }
    }
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment InvitationSummary on Invitation {
  id
  email
  role
  status
  mail
  createdAt
  expiresAt
  version
  invitedBy {
    name
  }
}`, {"hash":"fc99157a1b99f22ddd2195a13a9157f51253f8a7a116f5e7cea080c4fbc196b1"}) as unknown as TypedDocumentString<TenantInvitationsQuery, TenantInvitationsQueryVariables>;
export const InvitationPreviewDocument = new TypedDocumentString(`
    query InvitationPreview($token: String!) {
  me {
    name
    email
  }
  invitation(token: $token) {
    tenantName
    role
    email
    expiresAt
  }
}
    `, {"hash":"33a4a72e662510178c972f9841c1d0ff4eec7e5bde5796113a45cabca0ce47f4"}) as unknown as TypedDocumentString<InvitationPreviewQuery, InvitationPreviewQueryVariables>;
export const InviteTenantMemberDocument = new TypedDocumentString(`
    mutation InviteTenantMember($input: InviteTenantMemberInput!) {
  inviteTenantMember(input: $input) {
    token
    acceptUrl
    invitation {
      ...InvitationSummary
    }
  }
}
    fragment InvitationSummary on Invitation {
  id
  email
  role
  status
  mail
  createdAt
  expiresAt
  version
  invitedBy {
    name
  }
}`, {"hash":"562000bae6a86c98b4c66f54582ba88b478abdf3edc2b1525d5b9b68ec3574e7"}) as unknown as TypedDocumentString<InviteTenantMemberMutation, InviteTenantMemberMutationVariables>;
export const ResendInvitationDocument = new TypedDocumentString(`
    mutation ResendInvitation($input: ResendInvitationInput!) {
  resendInvitation(input: $input) {
    token
    acceptUrl
    invitation {
      ...InvitationSummary
    }
  }
}
    fragment InvitationSummary on Invitation {
  id
  email
  role
  status
  mail
  createdAt
  expiresAt
  version
  invitedBy {
    name
  }
}`, {"hash":"9a323b654740e2bc4948adb4240af71c0ff907a00d900ce6d833c911845b0b6a"}) as unknown as TypedDocumentString<ResendInvitationMutation, ResendInvitationMutationVariables>;
export const RevokeInvitationDocument = new TypedDocumentString(`
    mutation RevokeInvitation($input: RevokeInvitationInput!) {
  revokeInvitation(input: $input) {
    invitation {
      id
    }
  }
}
    `, {"hash":"e77e441994d81b617c0aa4153ca56de7aab89fc377283b338246ccb0ec62ab8d"}) as unknown as TypedDocumentString<RevokeInvitationMutation, RevokeInvitationMutationVariables>;
export const AcceptInvitationDocument = new TypedDocumentString(`
    mutation AcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) {
    membership {
      role
      tenant {
        slug
        name
      }
    }
  }
}
    `, {"hash":"d1a7af690cfd890022d5e5651fcd5bcbdcc725fe0b9cb8f14c933d7087d85fad"}) as unknown as TypedDocumentString<AcceptInvitationMutation, AcceptInvitationMutationVariables>;
export const TenantChangedDocument = new TypedDocumentString(`
    subscription TenantChanged($id: ID!) {
  tenantChanged(id: $id) {
    kind
    tenant {
      version
    }
  }
}
    `, {"hash":"592dcd6776f0e33ebd35c43392314a0290bd000f717b9bf288b896796177831c"}) as unknown as TypedDocumentString<TenantChangedSubscription, TenantChangedSubscriptionVariables>;
export const TenantSubscriptionChangedDocument = new TypedDocumentString(`
    subscription TenantSubscriptionChanged($id: ID!) {
  subscriptionChanged(tenantId: $id) {
    kind
  }
}
    `, {"hash":"60b1fe464a50fb127913d43cc92934003d5c1d5cbda2caebe4d4568d1d4798c2"}) as unknown as TypedDocumentString<TenantSubscriptionChangedSubscription, TenantSubscriptionChangedSubscriptionVariables>;
export const TenantsChangedDocument = new TypedDocumentString(`
    subscription TenantsChanged {
  tenantsChanged {
    kind
    tenant {
      version
    }
  }
}
    `, {"hash":"0b2d312ab2d59c178098d6103665e79a5908f5e9f8bd8f5dfda172592ef0e9e1"}) as unknown as TypedDocumentString<TenantsChangedSubscription, TenantsChangedSubscriptionVariables>;
export const ViewerChangedDocument = new TypedDocumentString(`
    subscription ViewerChanged {
  meChanged {
    version
  }
}
    `, {"hash":"8de1ee365017a2c8a81c7b5fdf89dd7911b67dbfc1cbed77f48e4c9b1fdec6a3"}) as unknown as TypedDocumentString<ViewerChangedSubscription, ViewerChangedSubscriptionVariables>;
export const TenantMembersDocument = new TypedDocumentString(`
    query TenantMembers($slug: String!, $first: Int, $after: String, $last: Int, $before: String, $role: TenantRole) {
  tenant(slug: $slug) {
    members(first: $first, after: $after, last: $last, before: $before, role: $role) {
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
}`, {"hash":"5b4e3e9d62349cb2edc58d967d397f01674a80b50ec5d1ca93186ef076b519c7"}) as unknown as TypedDocumentString<TenantMembersQuery, TenantMembersQueryVariables>;
export const TenantMemberDocument = new TypedDocumentString(`
    query TenantMember($slug: String!, $userId: ID!) {
  me {
    id
    platformAdmin
  }
  tenant(slug: $slug) {
    ...TenantSummary
  }
  user(id: $userId) {
    id
    name
    email
    memberships {
      role
      source
      since
      tenant {
        id
      }
    }
  }
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
}`, {"hash":"7bd559d7e5762506bf40624d00bdcde3e0590da673a37f4f85296981160ef42e"}) as unknown as TypedDocumentString<TenantMemberQuery, TenantMemberQueryVariables>;
export const AddTenantMemberDocument = new TypedDocumentString(`
    mutation AddTenantMember($input: AddTenantMemberInput!) {
  addTenantMember(input: $input) {
    membership {
      role
    }
  }
}
    `, {"hash":"4d38e69cbbcdecff7a5d95b550b82822a78ecfa028feae35b1ae57c18b5ab465"}) as unknown as TypedDocumentString<AddTenantMemberMutation, AddTenantMemberMutationVariables>;
export const UpdateTenantMemberDocument = new TypedDocumentString(`
    mutation UpdateTenantMember($input: UpdateTenantMemberInput!) {
  updateTenantMember(input: $input) {
    membership {
      role
    }
  }
}
    `, {"hash":"d23ce55cf1ce4de56c64a1d73f6e43260d3bb673ab19c54af3b36cb9b0a12b50"}) as unknown as TypedDocumentString<UpdateTenantMemberMutation, UpdateTenantMemberMutationVariables>;
export const RemoveTenantMemberDocument = new TypedDocumentString(`
    mutation RemoveTenantMember($input: RemoveTenantMemberInput!) {
  removeTenantMember(input: $input) {
    removedUserId
  }
}
    `, {"hash":"382742e42a395d8b1a0eff71779044dea9926f1232bc0d9405ade2ef3f6f3a04"}) as unknown as TypedDocumentString<RemoveTenantMemberMutation, RemoveTenantMemberMutationVariables>;
export const SubscriptionsDocument = new TypedDocumentString(`
    query Subscriptions($first: Int, $after: String, $last: Int, $before: String, $filter: TenantSubscriptionFilter) {
  subscriptions(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
  ) {
    totalCount
    pageInfo {
      ...PageOf
    }
    nodes {
      ...SubscriptionSummary
      tenant {
        slug
        name
      }
    }
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment SubscriptionSummary on TenantSubscription {
  id
  plan
  status
  currentPeriodStart
  currentPeriodEnd
  cancelAtPeriodEnd
}`, {"hash":"78fb1d112e86956102f03325a34a774c241ec56529bc3b9ae56f6d5d40fb4cf5"}) as unknown as TypedDocumentString<SubscriptionsQuery, SubscriptionsQueryVariables>;
export const CreateSubscriptionDocument = new TypedDocumentString(`
    mutation CreateSubscription($input: CreateSubscriptionInput!) {
  createSubscription(input: $input) {
    subscription {
      id
    }
  }
}
    `, {"hash":"19c318efa52d66b15af3982c5e334bbab8557081efee5c6a73fac05118d3cb49"}) as unknown as TypedDocumentString<CreateSubscriptionMutation, CreateSubscriptionMutationVariables>;
export const UpdateSubscriptionDocument = new TypedDocumentString(`
    mutation UpdateSubscription($input: UpdateSubscriptionInput!) {
  updateSubscription(input: $input) {
    subscription {
      id
    }
  }
}
    `, {"hash":"a38b16c5bca04c62f5ecc4944650814fc7ab30e7909633fff578a50752b63878"}) as unknown as TypedDocumentString<UpdateSubscriptionMutation, UpdateSubscriptionMutationVariables>;
export const TenantDocument = new TypedDocumentString(`
    query Tenant($slug: String!) {
  me {
    id
    platformAdmin
  }
  tenant(slug: $slug) {
    ...TenantSummary
    ...EditableTenant
    createdAt
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
}
fragment EditableTenant on Tenant {
  id
  slug
  name
  domains
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
}`, {"hash":"c2bdb6cb031215eb57ea33f880d2f90360b7faabad9facc8faa60e21fdebabc2"}) as unknown as TypedDocumentString<TenantQuery, TenantQueryVariables>;
export const TenantAdministrationDocument = new TypedDocumentString(`
    query TenantAdministration($slug: String!) {
  tenant(slug: $slug) {
    ...TenantSummary
    version
    integrations {
      authentikGroup
      ocisSpace
      stalwartDomain
    }
    subscription {
      ...SubscriptionSummary
      version
    }
    members(first: 1) {
      totalCount
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
}`, {"hash":"394d26e10f5f0bd365befcfa1eacf75799adb8091f4d16607fa534cf629f82d0"}) as unknown as TypedDocumentString<TenantAdministrationQuery, TenantAdministrationQueryVariables>;
export const CreateTenantDocument = new TypedDocumentString(`
    mutation CreateTenant($input: CreateTenantInput!) {
  createTenant(input: $input) {
    tenant {
      slug
    }
  }
}
    `, {"hash":"b831461285698de25704687b1c0b3db8e616d5a84bc05d6a2734cf71efbb4d43"}) as unknown as TypedDocumentString<CreateTenantMutation, CreateTenantMutationVariables>;
export const UpdateTenantDocument = new TypedDocumentString(`
    mutation UpdateTenant($input: UpdateTenantInput!) {
  updateTenant(input: $input) {
    tenant {
      ...EditableTenant
    }
  }
}
    fragment EditableTenant on Tenant {
  id
  slug
  name
  domains
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
}`, {"hash":"460c6501a1507e858934cc136a7659fc901cb1ec45378cc1817f53d8093a5ea8"}) as unknown as TypedDocumentString<UpdateTenantMutation, UpdateTenantMutationVariables>;
export const DeleteTenantDocument = new TypedDocumentString(`
    mutation DeleteTenant($input: DeleteTenantInput!) {
  deleteTenant(input: $input) {
    deletedId
  }
}
    `, {"hash":"3100613dbd9e60fa62a72c9f4d348036014c4d382faafd6afa2bbe325f1a63fd"}) as unknown as TypedDocumentString<DeleteTenantMutation, DeleteTenantMutationVariables>;
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
export const UsersDocument = new TypedDocumentString(`
    query Users($first: Int, $after: String, $last: Int, $before: String, $filter: UserFilter) {
  users(
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
      ...UserSummary
    }
  }
}
    fragment PageOf on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
fragment UserSummary on User {
  id
  name
  email
  platformAdmin
  disabled
  lastSeenAt
}`, {"hash":"80df9b9bc373466d05fe4dee03dd63c524b8fdefd1e08009c9cec9ee7647afdb"}) as unknown as TypedDocumentString<UsersQuery, UsersQueryVariables>;
export const UserDocument = new TypedDocumentString(`
    query User($id: ID!) {
  me {
    id
  }
  user(id: $id) {
    ...UserSummary
    subject
    createdAt
    version
    memberships {
      role
      source
      since
      tenant {
        id
        slug
        name
      }
    }
  }
}
    fragment UserSummary on User {
  id
  name
  email
  platformAdmin
  disabled
  lastSeenAt
}`, {"hash":"d8dfca5d3a93c3a4e70fbc0b2cf7c6d5e49adb2721715e2447b58369edf2eebf"}) as unknown as TypedDocumentString<UserQuery, UserQueryVariables>;
export const UpdateUserDocument = new TypedDocumentString(`
    mutation UpdateUser($input: UpdateUserInput!) {
  updateUser(input: $input) {
    user {
      ...UserSummary
      version
    }
  }
}
    fragment UserSummary on User {
  id
  name
  email
  platformAdmin
  disabled
  lastSeenAt
}`, {"hash":"9fb87fa30ca8f4df7d98fdf5f4f0dd3729b1caa8d2cb4154404f59b39f46ca3a"}) as unknown as TypedDocumentString<UpdateUserMutation, UpdateUserMutationVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  me {
    id
    name
    platformAdmin
  }
}
    `, {"hash":"4e0a55a00946b7ccb129d7338d4d733fc496a9016a89d2aa1d53fb114527e99f"}) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const OverviewDocument = new TypedDocumentString(`
    query Overview {
  me {
    id
    name
    email
    role
    platformAdmin
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
}`, {"hash":"521ebc0ea440ee70be7a731b2d7c73d76e3cfa945f183a02656950f61cf5f92c"}) as unknown as TypedDocumentString<OverviewQuery, OverviewQueryVariables>;
export const ProfileDocument = new TypedDocumentString(`
    query Profile {
  me {
    id
    name
    email
    subject
    platformAdmin
    lastSeenAt
    createdAt
    memberships {
      role
      source
      since
      tenant {
        id
        slug
        name
      }
    }
  }
}
    `, {"hash":"60a5d4af7dc65acd17d5d2859967b7910bb3003a7b8b39c5d99b275fc6ca186a"}) as unknown as TypedDocumentString<ProfileQuery, ProfileQueryVariables>;