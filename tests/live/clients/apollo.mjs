import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { websocketClient } from './websocket.mjs';

/** Creates an Apollo client whose subscriptions use a WebSocket. */
export function apolloClient(url, token, webSocketImpl) {
  const live = new GraphQLWsLink(websocketClient(url, token, webSocketImpl));
  const http = new HttpLink({
    uri: url,
    fetch: async (target, init) =>
      fetch(target, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${await token()}` },
      }),
  });
  const isLive = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
  return new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.split(isLive, live, http) });
}
