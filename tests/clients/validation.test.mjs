// The gateway and graphql-js agree on which requests are valid: for the table in tests/validation, and
// for documents that are generated from the schema. Requests have no token, so they change nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSchema, GraphQLError, parse, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { generateRequest, random } from './support/requests.mjs';
import { start } from './support/gateway.mjs';

const path = (name) => resolve(import.meta.dirname, '../..', name);
const schema = buildSchema(readFileSync(path('schema.graphql'), 'utf8'));
// A schema that is built from SDL accepts every value for a custom scalar.
const parseDateTime = (value) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value)) || !/T.*(Z|[+-]\d\d:\d\d)$/.test(value)) {
    throw new GraphQLError('not a timestamp');
  }
  return value;
};
const dateTime = schema.getType('DateTime');
dateTime.parseValue = parseDateTime;
dateTime.parseLiteral = (node) => parseDateTime(node.kind === 'StringValue' ? node.value : undefined);

let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway?.stop());

/** Returns `valid`, `limited`, or the code of the rejection. */
async function verdictOfGateway({ document, operationName, variables }) {
  const response = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: document, operationName, variables }),
  });
  const { data, errors = [] } = await response.json();
  const code = errors[0]?.extensions.code;
  // A valid subscription needs another media type than this request accepts.
  if (data !== undefined || response.status === 406) return 'valid';
  assert.equal(response.status, 400, `${code} ${document}`);
  assert(errors.length <= 10 && errors.every(({ message }) => [...message].length <= 301));
  return code === 'LIMIT_EXCEEDED' ? 'limited' : code;
}

/** Returns `valid`, or the code that the gateway has for the first fault that graphql-js reports. */
function verdictOfGraphqlJs({ document, operationName, variables }) {
  let syntax;
  try {
    syntax = parse(document);
  } catch {
    return 'GRAPHQL_PARSE_FAILED';
  }
  if (validate(schema, syntax).length > 0) return 'GRAPHQL_VALIDATION_FAILED';
  const operations = syntax.definitions.filter(({ kind }) => kind === 'OperationDefinition');
  const operation = operations.find(({ name }) => !operationName || name?.value === operationName);
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  return errors ? 'GRAPHQL_VALIDATION_FAILED' : 'valid';
}

test('graphql-js agrees with the table', async () => {
  const cases = JSON.parse(readFileSync(path('tests/validation/documents.json'), 'utf8'));
  let compared = 0;
  for (const one of cases) {
    const expected = one.code ?? 'valid';
    assert.equal(await verdictOfGateway(one), expected, `${one.section} ${one.document}`);
    // graphql-js 16 lacks a rule or reports the fault while fields run.
    if (one.stage === 'request' || one.graphqlJs) continue;
    assert.equal(verdictOfGraphqlJs(one), expected, `${one.section} ${one.document}`);
    compared += 1;
  }
  assert(compared > 200);
});

test('graphql-js agrees about generated requests', async (context) => {
  const seed = Number(process.env.SEED ?? 20250901);
  const count = Number(process.env.REQUESTS ?? 1500);
  const next = random(seed);
  const seen = {};
  for (let n = 0; n < count; n += 1) {
    const request = generateRequest(schema, next);
    const actual = await verdictOfGateway(request);
    const expected = verdictOfGraphqlJs(request);
    seen[actual] = (seen[actual] ?? 0) + 1;
    if (actual === 'limited') continue;
    assert.equal(actual, expected, `request ${n} of seed ${seed}: ${JSON.stringify(request)}`);
  }
  context.diagnostic(JSON.stringify(seen));
  for (const verdict of ['valid', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED']) {
    assert(seen[verdict] > count / 20, `${verdict}: ${seen[verdict]}`);
  }
});
