// Relay's network layer. It sends the identifiers that the compiler wrote into persisted.json.
import type { FetchFunction } from 'relay-runtime';
import { Environment, Network, RecordSource, Store } from 'relay-runtime';

export function environment(endpoint: string, token: () => string): Environment {
  const fetchQuery: FetchFunction = async ({ id, text }, variables) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
      // Without `persistConfig` a request has no identifier, and its text is sent instead.
      body: JSON.stringify({ ...(id == null ? { query: text } : { doc_id: id }), variables }),
    });
    return response.json();
  };
  return new Environment({ network: Network.create(fetchQuery), store: new Store(new RecordSource()) });
}
