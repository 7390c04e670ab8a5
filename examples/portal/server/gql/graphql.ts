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
  /** A moment: RFC 3339 in UTC with milliseconds, `2026-01-31T08:00:00.000Z`. As an input it may have any offset, and is kept to the millisecond. */
  DateTime: { input: string; output: string; }
  /** Any JSON value. */
  JSON: { input: unknown; output: unknown; }
};

/** As what somebody acted. */
export type ActorKind =
  /** A user who runs the platform. */
  | 'PLATFORM_ADMIN'
  /** The program itself. */
  | 'SYSTEM'
  /** A user with the rights of a user. */
  | 'USER';

/** A new member. */
export type AddTenantMemberInput = {
  /** The role. */
  role?: TenantRole;
  /** The tenant. */
  tenantId: Scalars['ID']['input'];
  /** The user: for a tenant's own people one whom they see already. */
  userId: Scalars['ID']['input'];
};

/** Which events; what is left out filters nothing. */
export type AuditFilter = {
  /** Is exactly this action: `tenant.update`, `user.sync`, … */
  action?: InputMaybe<Scalars['String']['input']>;
  /** Was done by this user. */
  actorId?: InputMaybe<Scalars['ID']['input']>;
  /** Happened then or later. */
  since?: InputMaybe<Scalars['DateTime']['input']>;
  /** Touched this tenant. */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
  /** Happened before then. */
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

/** Whom to bill. What is left out stays, null clears. */
export type BillingInfoInput = {
  /** Where the company is. */
  address?: InputMaybe<PostalAddressInput>;
  /** The company's registered name: at most 200 characters. */
  companyName?: InputMaybe<Scalars['String']['input']>;
  /** Where invoices go. */
  email?: InputMaybe<Scalars['String']['input']>;
  /** The VAT identification number, with its country before it: `DE123456789`. */
  vatId?: InputMaybe<Scalars['String']['input']>;
};

/** A new subscription. */
export type CreateSubscriptionInput = {
  /** Whether it ends there instead of going on. */
  cancelAtPeriodEnd?: Scalars['Boolean']['input'];
  /** When it ends: after it began. */
  currentPeriodEnd?: InputMaybe<Scalars['DateTime']['input']>;
  /** When the paid, or the trial, period began. */
  currentPeriodStart?: InputMaybe<Scalars['DateTime']['input']>;
  /** The plan, which becomes the tenant's where the subscription is not over. */
  plan: Plan;
  /** Where it is in its life. */
  status?: TenantSubscriptionStatus;
  /** Where the billing provider knows it. */
  stripe?: InputMaybe<StripeHandlesInput>;
  /** Whose it is. A tenant has at most one that is not over. */
  tenantId: Scalars['ID']['input'];
};

/** A new tenant. */
export type CreateTenantInput = {
  /** Whom to bill. */
  billingInfo?: InputMaybe<BillingInfoInput>;
  /** Its DNS names, each of which belongs to one tenant only; internationalized ones in either form. */
  domains?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Where the platform's other parts know it. */
  integrations?: InputMaybe<TenantIntegrationsInput>;
  /** The name for people: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** The plan, which is also that of its first subscription. */
  plan?: Plan;
  /** The name in URLs and groups: 2 to 63 of `a-z`, `0-9` and `-`, with no `-` at its ends; unique. */
  slug: Scalars['String']['input'];
  /** Where it is in its life. */
  status?: TenantStatus;
};

/** A new user. */
export type CreateUserInput = {
  /** Whether this user is shut out of everything. */
  disabled?: Scalars['Boolean']['input'];
  /** The e-mail address; the provider's, once the user signs in. */
  email: Scalars['String']['input'];
  /** The identity provider (`iss`), a configured one; the first of them where it is left out. */
  issuer?: InputMaybe<Scalars['String']['input']>;
  /** The name for people: 1 to 200 characters; the provider's, once the user signs in. */
  name: Scalars['String']['input'];
  /** Whether this user runs the platform. */
  platformAdmin?: Scalars['Boolean']['input'];
  /** Who it is at the identity provider (`sub`): 1 to 255 characters. */
  subject: Scalars['String']['input'];
};

/** A subscription to delete. */
export type DeleteSubscriptionInput = {
  /** The subscription. */
  id: Scalars['ID']['input'];
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** A tenant to delete. */
export type DeleteTenantInput = {
  /** The tenant. */
  id: Scalars['ID']['input'];
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** A user to delete. */
export type DeleteUserInput = {
  /** The user. */
  id: Scalars['ID']['input'];
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** Who gave a membership. */
export type MembershipSource =
  /** Somebody here; no sync touches it. */
  | 'DIRECT'
  /** The identity provider's groups; the next sync may change it or take it away. */
  | 'GROUP';

/** Which way a list runs. */
export type OrderDirection =
  /** The least first. */
  | 'ASC'
  /** The greatest first. */
  | 'DESC';

/** What a tenant has bought. */
export type Plan =
  /** The usual plan. */
  | 'BUSINESS'
  /** The largest plan. */
  | 'ENTERPRISE'
  /** Without charge. */
  | 'FREE'
  /** The least paid plan. */
  | 'STARTER';

/** A postal address; each line has at most 200 characters. What is left out stays, null clears. */
export type PostalAddressInput = {
  /** City. */
  city?: InputMaybe<Scalars['String']['input']>;
  /** Country: ISO 3166-1 alpha-2. */
  country?: InputMaybe<Scalars['String']['input']>;
  /** Street and number. */
  line1?: InputMaybe<Scalars['String']['input']>;
  /** What does not fit the first line. */
  line2?: InputMaybe<Scalars['String']['input']>;
  /** Postal code. */
  postalCode?: InputMaybe<Scalars['String']['input']>;
  /** State, province or canton. */
  region?: InputMaybe<Scalars['String']['input']>;
};

/** A member to remove; oneself, to leave. */
export type RemoveTenantMemberInput = {
  /** The tenant. */
  tenantId: Scalars['ID']['input'];
  /** The member. */
  userId: Scalars['ID']['input'];
};

/** Where the billing provider knows a subscription. What is left out stays, null clears. */
export type StripeHandlesInput = {
  /** The customer there. */
  customerId?: InputMaybe<Scalars['String']['input']>;
  /** The price there. */
  priceId?: InputMaybe<Scalars['String']['input']>;
  /** The subscription there. */
  subscriptionId?: InputMaybe<Scalars['String']['input']>;
};

/** Which tenants; an empty list, and what is left out, filters nothing. */
export type TenantFilter = {
  /** Has exactly this domain; internationalized names in either form. */
  domain?: InputMaybe<Scalars['String']['input']>;
  /** One of these. */
  plan?: InputMaybe<Array<Plan>>;
  /** The slug, the name or a domain starts with it, without regard to case. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** One of these. */
  status?: InputMaybe<Array<TenantStatus>>;
};

/** Where the platform's other parts know a tenant. What is left out stays, null clears. */
export type TenantIntegrationsInput = {
  /** The group at the identity provider whose people are members; unique. */
  authentikGroup?: InputMaybe<Scalars['String']['input']>;
  /** The file space. */
  ocisSpace?: InputMaybe<Scalars['String']['input']>;
  /** The mail domain. */
  stalwartDomain?: InputMaybe<Scalars['String']['input']>;
};

/** The order of tenants; those that are equal by identifier. */
export type TenantOrder = {
  /** Which way. */
  direction: OrderDirection;
  /** By what. */
  field: TenantOrderField;
};

/** What tenants can be ordered by. */
export type TenantOrderField =
  /** When it was made. */
  | 'CREATED_AT'
  /** The name, without regard to case. */
  | 'NAME'
  /** The slug. */
  | 'SLUG'
  /** When it was changed last. */
  | 'UPDATED_AT';

/** What a member may do in a tenant, from the least to the most. */
export type TenantRole =
  /** Also sees and changes its billing and its members, and reads its history. */
  | 'ADMIN'
  /** Sees the tenant, its subscription and its members. */
  | 'MEMBER'
  /** Also decides on its owners. */
  | 'OWNER';

/** Where a tenant is in its life. */
export type TenantStatus =
  /** In use. */
  | 'ACTIVE'
  /** As suspended, and meant to stay so. */
  | 'ARCHIVED'
  /** Made, not yet in use; works as an active one does. */
  | 'PENDING'
  /** Readable for its members, who cannot change it. */
  | 'SUSPENDED';

/** Which subscriptions; an empty list, and what is left out, filters nothing. */
export type TenantSubscriptionFilter = {
  /** One of these. */
  plan?: InputMaybe<Array<Plan>>;
  /** One of these. */
  status?: InputMaybe<Array<TenantSubscriptionStatus>>;
  /** Belongs to this tenant. */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
};

/** The order of subscriptions; those that are equal by identifier. */
export type TenantSubscriptionOrder = {
  /** Which way. */
  direction: OrderDirection;
  /** By what. */
  field: TenantSubscriptionOrderField;
};

/** What subscriptions can be ordered by. */
export type TenantSubscriptionOrderField =
  /** When it was made. */
  | 'CREATED_AT'
  /** When its period ends; one without an end counts as the least. */
  | 'CURRENT_PERIOD_END'
  /** When it was changed last. */
  | 'UPDATED_AT';

/** Where a subscription is in its life. */
export type TenantSubscriptionStatus =
  /** Paid. */
  | 'ACTIVE'
  /** Ended: it is over. */
  | 'CANCELED'
  /** The first payment is outstanding. */
  | 'INCOMPLETE'
  /** The first payment never came: it is over. */
  | 'INCOMPLETE_EXPIRED'
  /** A payment is late. */
  | 'PAST_DUE'
  /** On hold. */
  | 'PAUSED'
  /** In its trial. */
  | 'TRIALING'
  /** Payment was given up on. */
  | 'UNPAID';

/** A change of a subscription: what is left out stays as it is. */
export type UpdateSubscriptionInput = {
  /** Whether it ends there instead of going on. */
  cancelAtPeriodEnd?: InputMaybe<Scalars['Boolean']['input']>;
  /** When it ends: after it began. */
  currentPeriodEnd?: InputMaybe<Scalars['DateTime']['input']>;
  /** When the paid, or the trial, period began. */
  currentPeriodStart?: InputMaybe<Scalars['DateTime']['input']>;
  /** The subscription. */
  id: Scalars['ID']['input'];
  /** The plan, which becomes the tenant's where the subscription is not over. */
  plan?: InputMaybe<Plan>;
  /** Where it is in its life. One that was over and is not any more is the tenant's subscription again. */
  status?: InputMaybe<TenantSubscriptionStatus>;
  /** Where the billing provider knows it; null clears all of it. */
  stripe?: InputMaybe<StripeHandlesInput>;
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** A change of a tenant: what is left out stays as it is. */
export type UpdateTenantInput = {
  /** Whom to bill; null clears all of it. */
  billingInfo?: InputMaybe<BillingInfoInput>;
  /** All its DNS names. */
  domains?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The tenant. */
  id: Scalars['ID']['input'];
  /** Where the platform's other parts know it; null clears all of it. For platform admins. */
  integrations?: InputMaybe<TenantIntegrationsInput>;
  /** The name for people: 1 to 200 characters. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** The plan, which becomes that of its subscription too. For platform admins. */
  plan?: InputMaybe<Plan>;
  /** The name in URLs and groups. For platform admins; never the default tenant's. */
  slug?: InputMaybe<Scalars['String']['input']>;
  /** Where it is in its life. For platform admins. */
  status?: InputMaybe<TenantStatus>;
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** Another role for a member. */
export type UpdateTenantMemberInput = {
  /** The role. */
  role: TenantRole;
  /** The tenant. */
  tenantId: Scalars['ID']['input'];
  /** The member. */
  userId: Scalars['ID']['input'];
};

/** A change of a user: what is left out stays as it is. */
export type UpdateUserInput = {
  /** Whether this user is shut out of everything. */
  disabled?: InputMaybe<Scalars['Boolean']['input']>;
  /** The e-mail address; the provider's again, once the user signs in. */
  email?: InputMaybe<Scalars['String']['input']>;
  /** The user. */
  id: Scalars['ID']['input'];
  /** The name for people; the provider's again, once the user signs in. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** Whether this user runs the platform, whatever the groups say. */
  platformAdmin?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only where the stored version is this one. */
  version?: InputMaybe<Scalars['Int']['input']>;
};

/** Which users; what is left out filters nothing. */
export type UserFilter = {
  /** Is disabled, or is not. */
  disabled?: InputMaybe<Scalars['Boolean']['input']>;
  /** Runs the platform, or does not. */
  platformAdmin?: InputMaybe<Scalars['Boolean']['input']>;
  /** The name or the e-mail address starts with it, without regard to case. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** Is a member of this tenant. */
  tenantId?: InputMaybe<Scalars['ID']['input']>;
};

/** The order of users; those that are equal by identifier. */
export type UserOrder = {
  /** Which way. */
  direction: OrderDirection;
  /** By what. */
  field: UserOrderField;
};

/** What users can be ordered by. */
export type UserOrderField =
  /** When the user was made. */
  | 'CREATED_AT'
  /** The name, without regard to case. */
  | 'NAME'
  /** When the user was changed last. */
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