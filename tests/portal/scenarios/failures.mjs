// Servers that cannot be reached. These tests stop the database and the gateway, so they must be the last ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, newUser, shared, signedInUser } from '../scenario.mjs';

test('an unreachable database is reported', async () => {
  const bob = await signedInUser('bob', '/tenants/acme');
  await shared.stack.database.server.stop();
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  await bob.page.getByRole('alert').first().getByText('A service that this page needs cannot be reached.').waitFor();
  await bob.close([errorStatus(503)]);
});

test('an unreachable gateway is reported with a button to try again', async () => {
  const bob = await newUser();
  await shared.stack.gateway.stop();
  await bob.open('/tenants/acme');
  await bob.signInAs('bob');
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  const notice = bob.page.getByRole('alert').first();
  await notice.getByText('Temporarily unavailable').waitFor();
  await notice.getByRole('button', { name: 'Try again' }).click();
  await notice.getByText('Temporarily unavailable').waitFor();
  await bob.close([errorStatus(503)]);
});
