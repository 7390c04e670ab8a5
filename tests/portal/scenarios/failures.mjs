// Servers that cannot be reached. The last test stops the database, so no test can follow it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorStatus, shared, signedInUser } from '../scenario.mjs';

test('an unreachable gateway is reported with a button to try again', async (context) => {
  const { gate } = shared.stack;
  context.after(() => (gate.isClosed = false));
  const bob = await signedInUser('bob', '/tenants/acme');
  gate.isClosed = true;
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  const notice = bob.page.getByRole('alert').first();
  await notice.getByText('Temporarily unavailable').waitFor();
  await notice.getByRole('button', { name: 'Try again' }).click();
  await notice.getByText('Temporarily unavailable').waitFor();
  gate.isClosed = false;
  await notice.getByRole('button', { name: 'Try again' }).click();
  await bob.heading('Acme').waitFor();
  await bob.close([errorStatus(503)]);
});

test('an unreachable database is reported', async () => {
  const bob = await signedInUser('bob', '/tenants/acme');
  await shared.stack.database.server.stop();
  const response = await bob.reload();
  assert.equal(response.status(), 503);
  await bob.page.getByRole('alert').first().getByText('A service that this page needs cannot be reached.').waitFor();
  await bob.close([errorStatus(503)]);
});
