/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "fragment PageOf on PageInfo {\n  hasNextPage\n  hasPreviousPage\n  startCursor\n  endCursor\n}\n\nfragment SubscriptionSummary on TenantSubscription {\n  id\n  plan\n  status\n  currentPeriodStart\n  currentPeriodEnd\n  cancelAtPeriodEnd\n}\n\nfragment TenantSummary on Tenant {\n  id\n  slug\n  name\n  status\n  plan\n  domains\n  myMembership {\n    role\n  }\n}": typeof types.PageOfFragmentDoc,
    "query Me {\n  me {\n    id\n    name\n    email\n    subject\n    role\n    platformAdmin\n    createdAt\n  }\n  tenants(first: 6, orderBy: {field: NAME, direction: ASC}) {\n    totalCount\n    nodes {\n      ...TenantSummary\n    }\n  }\n  subscriptions(\n    first: 6\n    filter: {status: [TRIALING, ACTIVE, PAST_DUE, UNPAID, PAUSED, INCOMPLETE]}\n  ) {\n    totalCount\n    nodes {\n      ...SubscriptionSummary\n      tenant {\n        slug\n        name\n      }\n    }\n  }\n}": typeof types.MeDocument,
    "query Tenant($slug: String!) {\n  me {\n    platformAdmin\n  }\n  tenant(slug: $slug) {\n    ...TenantSummary\n    createdAt\n    updatedAt\n    version\n    billingInfo {\n      companyName\n      email\n      vatId\n      address {\n        line1\n        line2\n        city\n        region\n        postalCode\n        country\n      }\n    }\n    subscription {\n      ...SubscriptionSummary\n    }\n  }\n}\n\nquery TenantMembers($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {\n  tenant(slug: $slug) {\n    members(first: $first, after: $after, last: $last, before: $before) {\n      totalCount\n      pageInfo {\n        ...PageOf\n      }\n      nodes {\n        role\n        source\n        since\n        user {\n          id\n          name\n          email\n        }\n      }\n    }\n  }\n}\n\nmutation UpdateTenant($input: UpdateTenantInput!) {\n  updateTenant(input: $input) {\n    tenant {\n      slug\n      version\n    }\n  }\n}": typeof types.TenantDocument,
    "query Tenants($first: Int, $after: String, $last: Int, $before: String, $filter: TenantFilter) {\n  tenants(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n    orderBy: {field: NAME, direction: ASC}\n  ) {\n    totalCount\n    pageInfo {\n      ...PageOf\n    }\n    nodes {\n      ...TenantSummary\n    }\n  }\n}": typeof types.TenantsDocument,
};
const documents: Documents = {
    "fragment PageOf on PageInfo {\n  hasNextPage\n  hasPreviousPage\n  startCursor\n  endCursor\n}\n\nfragment SubscriptionSummary on TenantSubscription {\n  id\n  plan\n  status\n  currentPeriodStart\n  currentPeriodEnd\n  cancelAtPeriodEnd\n}\n\nfragment TenantSummary on Tenant {\n  id\n  slug\n  name\n  status\n  plan\n  domains\n  myMembership {\n    role\n  }\n}": types.PageOfFragmentDoc,
    "query Me {\n  me {\n    id\n    name\n    email\n    subject\n    role\n    platformAdmin\n    createdAt\n  }\n  tenants(first: 6, orderBy: {field: NAME, direction: ASC}) {\n    totalCount\n    nodes {\n      ...TenantSummary\n    }\n  }\n  subscriptions(\n    first: 6\n    filter: {status: [TRIALING, ACTIVE, PAST_DUE, UNPAID, PAUSED, INCOMPLETE]}\n  ) {\n    totalCount\n    nodes {\n      ...SubscriptionSummary\n      tenant {\n        slug\n        name\n      }\n    }\n  }\n}": types.MeDocument,
    "query Tenant($slug: String!) {\n  me {\n    platformAdmin\n  }\n  tenant(slug: $slug) {\n    ...TenantSummary\n    createdAt\n    updatedAt\n    version\n    billingInfo {\n      companyName\n      email\n      vatId\n      address {\n        line1\n        line2\n        city\n        region\n        postalCode\n        country\n      }\n    }\n    subscription {\n      ...SubscriptionSummary\n    }\n  }\n}\n\nquery TenantMembers($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {\n  tenant(slug: $slug) {\n    members(first: $first, after: $after, last: $last, before: $before) {\n      totalCount\n      pageInfo {\n        ...PageOf\n      }\n      nodes {\n        role\n        source\n        since\n        user {\n          id\n          name\n          email\n        }\n      }\n    }\n  }\n}\n\nmutation UpdateTenant($input: UpdateTenantInput!) {\n  updateTenant(input: $input) {\n    tenant {\n      slug\n      version\n    }\n  }\n}": types.TenantDocument,
    "query Tenants($first: Int, $after: String, $last: Int, $before: String, $filter: TenantFilter) {\n  tenants(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n    orderBy: {field: NAME, direction: ASC}\n  ) {\n    totalCount\n    pageInfo {\n      ...PageOf\n    }\n    nodes {\n      ...TenantSummary\n    }\n  }\n}": types.TenantsDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment PageOf on PageInfo {\n  hasNextPage\n  hasPreviousPage\n  startCursor\n  endCursor\n}\n\nfragment SubscriptionSummary on TenantSubscription {\n  id\n  plan\n  status\n  currentPeriodStart\n  currentPeriodEnd\n  cancelAtPeriodEnd\n}\n\nfragment TenantSummary on Tenant {\n  id\n  slug\n  name\n  status\n  plan\n  domains\n  myMembership {\n    role\n  }\n}"): typeof import('./graphql').PageOfFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Me {\n  me {\n    id\n    name\n    email\n    subject\n    role\n    platformAdmin\n    createdAt\n  }\n  tenants(first: 6, orderBy: {field: NAME, direction: ASC}) {\n    totalCount\n    nodes {\n      ...TenantSummary\n    }\n  }\n  subscriptions(\n    first: 6\n    filter: {status: [TRIALING, ACTIVE, PAST_DUE, UNPAID, PAUSED, INCOMPLETE]}\n  ) {\n    totalCount\n    nodes {\n      ...SubscriptionSummary\n      tenant {\n        slug\n        name\n      }\n    }\n  }\n}"): typeof import('./graphql').MeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Tenant($slug: String!) {\n  me {\n    platformAdmin\n  }\n  tenant(slug: $slug) {\n    ...TenantSummary\n    createdAt\n    updatedAt\n    version\n    billingInfo {\n      companyName\n      email\n      vatId\n      address {\n        line1\n        line2\n        city\n        region\n        postalCode\n        country\n      }\n    }\n    subscription {\n      ...SubscriptionSummary\n    }\n  }\n}\n\nquery TenantMembers($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {\n  tenant(slug: $slug) {\n    members(first: $first, after: $after, last: $last, before: $before) {\n      totalCount\n      pageInfo {\n        ...PageOf\n      }\n      nodes {\n        role\n        source\n        since\n        user {\n          id\n          name\n          email\n        }\n      }\n    }\n  }\n}\n\nmutation UpdateTenant($input: UpdateTenantInput!) {\n  updateTenant(input: $input) {\n    tenant {\n      slug\n      version\n    }\n  }\n}"): typeof import('./graphql').TenantDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Tenants($first: Int, $after: String, $last: Int, $before: String, $filter: TenantFilter) {\n  tenants(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n    orderBy: {field: NAME, direction: ASC}\n  ) {\n    totalCount\n    pageInfo {\n      ...PageOf\n    }\n    nodes {\n      ...TenantSummary\n    }\n  }\n}"): typeof import('./graphql').TenantsDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
