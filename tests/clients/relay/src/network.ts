// How Relay asks the gateway: by the identifiers that its compiler wrote into persisted.json.
import type { FetchFunction } from 'relay-runtime';
import { Environment, Network, RecordSource, Store } from 'relay-runtime';

export function environment(endpoint: string, token: () => string): Environment {
  const ask: FetchFunction = async ({ id, text }, variables) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
      // Without `persistConfig` there is no identifier, and the text is sent.
      body: JSON.stringify({ ...(id == null ? { query: text } : { doc_id: id }), variables }),
    });
    return response.json();
  };
  return new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
}
