import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { websocketClient } from './websocket.mjs';

/** Creates an urql client whose subscriptions use a WebSocket. */
export function urqlClient(url, token, webSocketImpl) {
  const live = websocketClient(url, token, webSocketImpl);
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: live.subscribe(request, sink) }),
  });
  return new Client({
    url,
    exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
}
