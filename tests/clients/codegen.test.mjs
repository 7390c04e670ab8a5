// GraphQL Code Generator's client: what its types say of an answer, and what a gateway answers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { buildSchema, parse } from 'graphql';
import { ask } from './codegen/built/client.js';
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

/** Every walk, as the demo identities; the answers' shapes are held against the schema. */
async function walkAll({ endpoint, tokens }, trusted) {
  const asked = new Set();
  const asking = async (who, document, variables) => {
    const answer = await ask({ endpoint, token: tokens[who], trusted }, document, variables);
    const text = document.toString();
    asked.add(operationName(text));
    if (answer.data !== null) {
      assert.deepEqual(mismatches(schema, text, variables, answer.data), [], operationName(text));
    }
    return answer;
  };
  for (const one of Object.values(walk)) await one(asking);
  return [...asked].sort();
}

test('a schema is used whole: every root field has an operation', () => {
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

test('every operation is answered in the shape of its types', async (t) => {
  const gateway = await start();
  t.after(gateway.stop);
  assert.deepEqual(await walkAll(gateway, false), operations.toSorted());
});

test('every operation runs by its identifier, and no other', async (t) => {
  const gateway = await start({
    TENANTRY_DOCUMENTS_FILE: file(MANIFEST),
    TENANTRY_DOCUMENTS_ONLY: 'true',
  });
  t.after(gateway.stop);
  assert.deepEqual(await walkAll(gateway, true), operations.toSorted());
  const settings = { endpoint: gateway.endpoint, token: gateway.tokens.bob };
  const another = { toString: () => '{ me { id } }' };
  const { errors } = await ask(settings, another, {});
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.code),
    ['FORBIDDEN'],
  );
});
