// Fails if a schema breaks the released one, and lists the operations of each client that it breaks.
//
//   node inspector/check.mjs --released FILE --schema FILE [manifest.json …]
//
// A manifest has one of the formats of TENANTRY_TRUSTED_DOCUMENTS_FILE: GraphQL Code Generator, Relay or
// Apollo. Exits with 1 if something breaks and with 2 if a file cannot be read.
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
  const [released, schema] = [values.released, values.schema].map(readSchema);
  const known = positionals.flatMap((file) => operations(file, readFileSync(file, 'utf8')));
  const { breaking, dangerous, invalid } = await compare(released, schema, known);
  for (const change of dangerous) print('dangerous', 'may affect', change);
  for (const change of breaking) print('BREAKING', 'breaks', change);
  for (const operation of invalid) {
    const [{ message }] = operation.errors;
    print('INVALID', 'breaks', { path: operation.name, message, operations: [operation] });
  }
  const broken = new Set([...breaking.flatMap((change) => change.operations), ...invalid]);
  const counts = [`${breaking.length} breaking`, `${dangerous.length} dangerous`];
  console.log(`${counts.join(' and ')} changes; ${broken.size} of ${known.length} operations break`);
  return breaking.length + invalid.length > 0 ? 1 : 0;
}

function readSchema(file) {
  try {
    return buildSchema(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

function print(level, verb, { path, message, operations: affected }) {
  console.log(`${level} ${path}: ${message}`);
  for (const { name, id, file } of affected) console.log(`  ${verb} ${name} (${id} in ${file})`);
}

process.exitCode = await run().catch((error) => {
  console.error(error.message);
  return 2;
});
