// What can be told without a browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { portalCommand } from './stack/front.mjs';
import { PORTAL } from './stack/index.mjs';
import { Running } from './stack/process.mjs';

test('every code of the gateway has its words', async () => {
  const reference = await readFile(join(PORTAL, '../../docs/API.md'), 'utf8');
  const [, errors] = /^## Errors$([\s\S]*?)^## /m.exec(reference);
  const codes = [...errors.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => cell.match(/[A-Z_]{5,}/g) ?? []);
  assert.ok(codes.length >= 16, `the reference has ${codes.length} codes`);
  const words = await readFile(join(PORTAL, 'shared/utils/words.ts'), 'utf8');
  assert.deepEqual(codes.filter((code) => !words.includes(`  ${code}: (`)), []);
});

test('what the environment lacks is said at the start, without a secret in it', async () => {
  const env = {
    NITRO_UNIX_SOCKET: '/nowhere/portal.sock',
    NUXT_GATEWAY_URL: 'gateway:8080',
    NUXT_OIDC_TOKEN_KEY: Buffer.from('too short').toString('base64'),
    NUXT_OIDC_SESSION_SECRET: 'hunter2',
  };
  const portal = new Running('the portal', await portalCommand(PORTAL), { env });
  await assert.rejects(portal.line(() => false), /has ended/);
  await portal.stop();
  const said = portal.said.join('\n');
  for (const fault of [
    /NUXT_GATEWAY_URL is "gateway:8080" and should be an address/,
    /NUXT_OIDC_TOKEN_KEY has 9 bytes in base64 and needs 32/,
    /NUXT_OIDC_SESSION_SECRET has 7 characters and needs 48/,
    /NUXT_OIDC_AUTH_SESSION_SECRET has 0 characters/,
    /NUXT_OIDC_PROVIDERS_OIDC_CLIENT_ID is not set/,
    /NUXT_OIDC_PROVIDERS_OIDC_OPEN_ID_CONFIGURATION is ""/,
  ]) {
    assert.match(said, fault);
  }
  assert.doesNotMatch(said, /hunter2|Listening/);
});
