import relay from 'relay-runtime';
import { websocketClient } from './websocket.mjs';

const { Environment, Network, Observable, RecordSource, Store } = relay;

/** Creates a Relay environment whose subscriptions use a WebSocket. */
export function relayEnvironment(url, token, webSocketImpl) {
  const live = websocketClient(url, token, webSocketImpl);
  const fetchQuery = async ({ text }, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  };
  const subscribe = ({ name, text }, variables) =>
    Observable.create((sink) =>
      live.subscribe({ operationName: name, query: text, variables }, sink),
    );
  const network = Network.create(fetchQuery, subscribe);
  return new Environment({ network, store: new Store(new RecordSource()) });
}
