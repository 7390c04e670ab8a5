// The client of GraphQL Code Generator against a real gateway: every response matches its generated type.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { buildSchema, parse } from 'graphql';
import { execute } from './codegen/built/client.js';
import * as walk from './codegen/built/walk.js';
import { start } from './support/gateway.mjs';
import { mismatches } from './support/shape.mjs';

const file = (path) => resolve(import.meta.dirname, path);
const read = (path) => readFileSync(file(path), 'utf8');
const schema = buildSchema(read('../../schema.graphql'));
const MANIFEST = 'codegen/src/gql/persisted-documents.json';
const operations = Object.values(JSON.parse(read(MANIFEST))).map(operationName);

function operationName(text) {
  return parse(text).definitions.find((one) => one.kind === 'OperationDefinition').name.value;
}

/** Runs every walk as the demo identities and checks the shape of each response against the schema. */
async function walkAll({ endpoint, tokens }, trusted) {
  const executed = new Set();
  const send = async (identity, document, variables) => {
    const settings = { endpoint, token: tokens[identity], trusted };
    const response = await execute(settings, document, variables);
    const text = document.toString();
    executed.add(operationName(text));
    if (response.data !== null) {
      assert.deepEqual(mismatches(schema, text, variables, response.data), [], operationName(text));
    }
    return response;
  };
  for (const one of Object.values(walk)) await one(send);
  return [...executed].sort();
}

test('every root field of the schema has an operation', () => {
  const documents = Object.values(JSON.parse(read(MANIFEST))).map((text) => parse(text));
  const roots = documents.flatMap(({ definitions }) =>
    definitions.flatMap(({ kind, selectionSet }) =>
      kind === 'OperationDefinition' ? selectionSet.selections.map((field) => field.name.value) : [],
    ),
  );
  const fields = [schema.getQueryType(), schema.getMutationType()];
  const names = fields.flatMap((type) => Object.keys(type.getFields()));
  assert.deepEqual([...new Set(roots)].sort(), names.sort());
});

test('every response has the shape of its generated type', async (t) => {
  const gateway = await start();
  t.after(gateway.stop);
  assert.deepEqual(await walkAll(gateway, false), operations.toSorted());
});

test('every trusted operation runs by its identifier and other documents are rejected', async (t) => {
  const gateway = await start({
    TENANTRY_TRUSTED_DOCUMENTS_FILE: file(MANIFEST),
    TENANTRY_TRUSTED_DOCUMENTS_MODE: 'enforce',
  });
  t.after(gateway.stop);
  assert.deepEqual(await walkAll(gateway, true), operations.toSorted());
  const settings = { endpoint: gateway.endpoint, token: gateway.tokens.bob };
  const untrusted = { toString: () => '{ me { id } }' };
  const { errors } = await execute(settings, untrusted, {});
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.code),
    ['FORBIDDEN'],
  );
});
