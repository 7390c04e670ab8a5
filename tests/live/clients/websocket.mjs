import { createClient } from 'graphql-ws';
import { resuming } from './resume.mjs';

/** Creates a client of `graphql-ws`. `token` returns the current token. */
export function websocketClient(url, token, webSocketImpl) {
  return resuming(
    createClient({
      url: url.replace(/^http/, 'ws'),
      // Called for each connection, so that a reconnect sends a new token.
      connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
      retryAttempts: Infinity,
      // The gateway closes with 4403 when the token expires. The next connection has a new one.
      shouldRetry: () => true,
      webSocketImpl,
    }),
  );
}
