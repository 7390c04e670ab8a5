// Fails where a schema breaks what was released, and says which operations of which client.
//
//   node inspector/check.mjs --released FILE --schema FILE [manifest.json …]
//
// A manifest is what TENANTRY_DOCUMENTS_FILE takes: of GraphQL Code Generator, Relay or Apollo. Exit 1
// where something breaks, 2 where a file is not what it should be.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildSchema } from 'graphql';
import { compare } from './compare.mjs';
import { operations } from './manifest.mjs';

const USAGE = 'usage: check.mjs --released FILE --schema FILE [manifest.json …]';

async function run() {
  const { values, positionals } = parseArgs({
    options: { released: { type: 'string' }, schema: { type: 'string' } },
    allowPositionals: true,
  });
  if (!values.released || !values.schema) throw new Error(USAGE);
  const [released, schema] = [values.released, values.schema].map(schemaOf);
  const known = positionals.flatMap((file) => operations(file, readFileSync(file, 'utf8')));
  const { breaking, dangerous, invalid } = await compare(released, schema, known);
  for (const change of dangerous) tell('dangerous', 'may surprise', change);
  for (const change of breaking) tell('BREAKING', 'breaks', change);
  for (const operation of invalid) {
    const [{ message }] = operation.errors;
    tell('INVALID', 'breaks', { path: operation.name, message, operations: [operation] });
  }
  const broken = new Set([...breaking.flatMap((change) => change.operations), ...invalid]);
  const counts = [`${breaking.length} breaking`, `${dangerous.length} dangerous`];
  console.log(`${counts.join(' and ')} changes; ${broken.size} of ${known.length} operations break`);
  return breaking.length + invalid.length > 0 ? 1 : 0;
}

function schemaOf(file) {
  try {
    return buildSchema(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

function tell(level, verb, { path, message, operations: touched }) {
  console.log(`${level} ${path}: ${message}`);
  for (const { name, id, file } of touched) console.log(`  ${verb} ${name} (${id} in ${file})`);
}

process.exitCode = await run().catch((error) => {
  console.error(error.message);
  return 2;
});
