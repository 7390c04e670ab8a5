// Listeners: one WebSocket with one subscription each, written for little work per connection.
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';

const CHANGED = `subscription ($id: ID!, $since: String) {
  tenantChanged(id: $id, since: $since) { kind tenant { name version } }
}`;

/** A listener to a tenant. `onEvent` gets the data of each event, and `ended` resolves with the code of the end. */
export class Listener {
  constructor(address, token, id, onEvent) {
    this.events = [];
    this.onEvent = onEvent ?? (() => {});
    this.cursor = undefined;
    this.token = token;
    this.id = id;
    this.connect(address);
  }

  connect(address) {
    this.ended = new Promise((resolve) => {
      const socket = new WebSocket(`ws://${address}/graphql`, 'graphql-transport-ws', { perMessageDeflate: false });
      this.socket = socket;
      const sendMessage = (message) => socket.send(JSON.stringify(message));
      socket.on('open', () => sendMessage({ type: 'connection_init', payload: { authorization: `Bearer ${this.token}` } }));
      socket.on('message', (text) => {
        const { type, payload } = JSON.parse(text);
        if (type === 'connection_ack') {
          const variables = { id: this.id, since: this.cursor };
          sendMessage({ id: '1', type: 'subscribe', payload: { query: CHANGED, variables } });
        } else if (type === 'ping') sendMessage({ type: 'pong' });
        else if (type === 'complete') resolve('complete');
        else if (type === 'error') resolve(payload[0].extensions.code);
        else if (payload?.errors) resolve(payload.errors[0].extensions.code);
        else if (type === 'next') {
          this.cursor = payload.extensions.cursor;
          this.onEvent(payload.data.tenantChanged);
        }
      });
      socket.on('error', () => {});
      socket.on('close', (code) => resolve(`closed ${code}`));
    });
  }

  close() {
    this.socket.terminate();
  }
}

/** Waits until the gateway has this number of live operations. */
export async function waitForOperations(gateway, count) {
  const deadline = performance.now() + 300_000;
  while (performance.now() < deadline) {
    const text = await (await fetch(`http://${gateway.admin}/metrics`)).text();
    if (Number(/^tenantry_live_operations (\d+)$/m.exec(text)?.[1]) === count) return;
    await delay(100);
  }
  throw new Error(`the gateway does not have ${count} live operations`);
}
