import { createClient } from 'graphql-sse';
import { resuming } from './resume.mjs';

/** Creates a client of `graphql-sse`. `token` returns the current token. */
export function eventStreamClient(url, token) {
  return resuming(
    createClient({
      url,
      // Called for each connection, so that a reconnect sends a new token.
      headers: async () => ({ authorization: `Bearer ${await token()}` }),
      retryAttempts: Infinity,
    }),
  );
}
