// Introspection of the gateway is that of graphql-js for schema.graphql. graphql-js 16 also has parts
// that are newer than the specification of September 2025, which are left out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildClientSchema, buildSchema, execute, getIntrospectionQuery, parse, printSchema } from 'graphql';
import { start } from './support/gateway.mjs';

const sdl = readFileSync(resolve(import.meta.dirname, '../../schema.graphql'), 'utf8');
const schema = buildSchema(sdl);
const standard = getIntrospectionQuery({
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const everything = `
  fragment Ref on __Type {
    __typename kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
  }
  fragment Value on __InputValue {
    __typename name description type { ...Ref } defaultValue isDeprecated deprecationReason
  }
  fragment All on __Type {
    __typename kind name description specifiedByURL isOneOf ofType { ...Ref }
    fields(includeDeprecated: true) {
      __typename name description isDeprecated deprecationReason type { ...Ref }
      args(includeDeprecated: true) { ...Value }
    }
    current: fields { name args { name } }
    interfaces { ...Ref }
    possibleTypes { ...Ref }
    enumValues(includeDeprecated: true) { __typename name description isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...Value }
  }`;

let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway?.stop());

async function compare(document, adapt = (data) => data) {
  const expected = await execute({ schema, document: parse(document) });
  assert.equal(expected.errors, undefined);
  const response = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: document }),
  });
  const actual = await response.json();
  assert.equal(actual.errors, undefined, JSON.stringify(actual.errors));
  const plain = (data) => adapt(JSON.parse(JSON.stringify(data)));
  assert.deepEqual(plain(actual.data), plain(expected.data));
  return actual.data;
}

const byName = (one, other) => (one.name < other.name ? -1 : 1);

/** Sorts what has no order of its own, and leaves out what is newer than the specification. */
function withoutDrafts({ __schema: { types, directives, ...rest } }) {
  const draft = (location) => location !== 'DIRECTIVE_DEFINITION';
  for (const type of types) {
    type.possibleTypes?.sort(byName);
    if (!type.name.startsWith('__')) continue;
    const fields = (list) =>
      list
        ?.filter(({ name }) => type.name !== '__Directive' || !/^(isDeprecated|deprecationReason)$/.test(name))
        .map((field) => (type.name === '__Schema' ? { ...field, args: [] } : field))
        .sort(byName);
    type.fields = fields(type.fields);
    if (type.current) type.current = fields(type.current);
    type.enumValues = type.enumValues?.filter(({ name }) => draft(name)) ?? null;
  }
  for (const directive of directives) directive.locations = directive.locations.filter(draft);
  // Its text differs between two versions of graphql-js.
  const texts = (list) => list.filter(({ name }) => name !== 'oneOf');
  return { ...rest, types: types.sort(byName), directives: texts(directives.sort(byName)) };
}

test('every field of introspection has the value of graphql-js', async () => {
  const document = `{
    __schema {
      __typename description
      queryType { ...Ref } mutationType { ...Ref } subscriptionType { ...Ref }
      types { ...All }
      directives {
        __typename name description isRepeatable locations args(includeDeprecated: true) { ...Value }
      }
    }
  } ${everything}`;
  await compare(document, withoutDrafts);
});

test('the standard introspection query of graphql-js describes schema.graphql', async () => {
  const data = await compare(standard, withoutDrafts);
  const sorted = (text) => text.split(/\n(?=""")|\n(?=type|enum|input|scalar)/).sort();
  // Introspection does not report where a directive is used.
  const withoutGuards = sdl.replaceAll(/ @guard\(requires: \w+\)/g, '');
  assert.deepEqual(sorted(`${printSchema(buildClientSchema(data))}\n`), sorted(withoutGuards));
});

test('types are found by name', async () => {
  const names = ['Node', 'Query', 'Plan', 'DateTime', 'CreateTenantInput', '__Type', 'Absent', 'Float'];
  const fields = names.map((name) => `${name.replace('__', 'meta')}: __type(name: "${name}") { ...Named }`);
  const named = 'fragment Named on __Type { kind name interfaces { name } possibleTypes { name } }';
  const data = await compare(`{ ${fields.join(' ')} } ${named}`, (all) => {
    for (const type of Object.values(all)) type?.possibleTypes?.sort(byName);
    return all;
  });
  assert.deepEqual(data.Node.interfaces, []);
  assert.deepEqual([data.Absent, data.Float], [null, null]);
});
