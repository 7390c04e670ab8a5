// docs/CLIENTS.md shows the files of this folder, and its table has every error code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const read = (path) => readFileSync(resolve(root, path), 'utf8');
const guide = read('docs/CLIENTS.md');

test('each code block that names a file is part of that file', () => {
  const blocks = [...guide.matchAll(/^```\w+ (\S+)\n([^]*?)^```$/gm)];
  const shown = blocks.map(([, path, text]) => {
    assert(read(path).includes(text), `${path} does not have\n${text}`);
    return path;
  });
  assert.deepEqual(shown, [
    'tests/clients/support/requirements.mjs',
    'tests/clients/codegen/codegen.ts',
    'tests/clients/codegen/src/client.ts',
    'tests/clients/relay/relay.config.json',
    'tests/clients/relay/src/network.ts',
    ...['resume', 'websocket', 'event-stream', 'apollo', 'urql', 'relay'].map(
      (name) => `tests/live/clients/${name}.mjs`,
    ),
  ]);
});

test('the error table has exactly the codes of the gateway', () => {
  const codes = [...read('src/graphql/error.rs').matchAll(/^ +[A-Z]\w+ = "([A-Z_]+)",$/gm)];
  const rows = [...guide.matchAll(/^\| (`[A-Z_]+`[^|]*)\|/gm)];
  const documented = rows.flatMap(([, cell]) => [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  assert(codes.length >= 16);
  assert.deepEqual(documented.sort(), codes.map(([, code]) => code).sort());
});

test('every relative link points to an existing file', () => {
  const links = [...guide.matchAll(/\]\(([^):#]+)\)/g)].map(([, path]) => path);
  assert(links.length > 3);
  for (const path of links) read(`docs/${path}`);
});
