// Tests of the portal that need no browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PORTAL } from './stack/index.mjs';
import { ManagedProcess } from './stack/process.mjs';
import { portalCommand } from './stack/web.mjs';

test('every error code of the gateway has a message', async () => {
  const reference = await readFile(join(PORTAL, '../../docs/API.md'), 'utf8');
  const [, errors] = /^## Errors$([\s\S]*?)^## /m.exec(reference);
  const codes = [...errors.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => cell.match(/[A-Z_]{5,}/g) ?? []);
  assert.ok(codes.length >= 16, `the reference has ${codes.length} codes`);
  const messages = await readFile(join(PORTAL, 'shared/utils/error-messages.ts'), 'utf8');
  assert.deepEqual(codes.filter((code) => !messages.includes(`  ${code}: (`)), []);
});

test('invalid environment variables are reported at startup without their secrets', async () => {
  const env = {
    NITRO_UNIX_SOCKET: '/nonexistent/portal.sock',
    NUXT_GATEWAY_URL: 'gateway:8080',
    NUXT_OIDC_TOKEN_KEY: Buffer.from('too short').toString('base64'),
    NUXT_OIDC_SESSION_SECRET: 'hunter2',
  };
  const portal = new ManagedProcess('the portal', await portalCommand(PORTAL), { env });
  await assert.rejects(portal.waitForLine(() => false), /the portal has exited/);
  await portal.stop();
  const output = portal.lines.join('\n');
  for (const error of [
    /NUXT_GATEWAY_URL: invalid URL "gateway:8080"; expected an absolute URL/,
    /NUXT_OIDC_TOKEN_KEY: 9 bytes after base64 decoding; expected 32/,
    /NUXT_OIDC_SESSION_SECRET: 7 characters; expected at least 48/,
    /NUXT_OIDC_AUTH_SESSION_SECRET: 0 characters/,
    /NUXT_OIDC_PROVIDERS_OIDC_CLIENT_ID: not set/,
    /NUXT_OIDC_PROVIDERS_OIDC_OPEN_ID_CONFIGURATION: invalid URL ""/,
  ]) {
    assert.match(output, error);
  }
  assert.doesNotMatch(output, /hunter2|Listening/);
});
