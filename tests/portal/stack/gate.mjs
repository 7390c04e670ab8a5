// A proxy between the portal and its gateway. It records the operations that the portal executes, and can hold requests
// back, so that a test decides when their responses arrive.

import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

const LIVE = /Changed$/;
/** The live operations of all pages. */
export const LIVE_OPERATIONS = ['ViewerChanged', 'TenantChanged', 'TenantSubscriptionChanged', 'TenantsChanged'];

export class GatewayGate {
  static async start(gatewayUrl, trustedDocuments) {
    const gate = new GatewayGate();
    gate.forwardTo(gatewayUrl);
    const documents = JSON.parse(await readFile(trustedDocuments, 'utf8'));
    gate.names = new Map(
      Object.entries(documents).map(([hash, text]) => [hash, /\b(?:query|mutation|subscription) (\w+)/.exec(text)[1]]),
    );
    gate.server = createServer((incoming, response) => gate.handle(incoming, response).catch(() => response.destroy()));
    await new Promise((resolve) => gate.server.listen(0, '127.0.0.1', resolve));
    gate.url = `http://127.0.0.1:${gate.server.address().port}/graphql`;
    return gate;
  }

  constructor() {
    /** The names of the queries and mutations of pages, in the order of their arrival. */
    this.operations = [];
    /** The open live operations: their names and the cursors that they started with. */
    this.live = new Map();
    this.holds = [];
    this.waiting = new Set();
    /** Whether requests fail as if the gateway could not be reached. */
    this.isClosed = false;
  }

  /** Sends the requests that arrive from now on to this gateway. */
  forwardTo(gatewayUrl) {
    this.target = new URL(gatewayUrl);
  }

  async handle(incoming, response) {
    const body = await buffer(incoming);
    if (this.isClosed) return response.destroy();
    const name = this.names.get(JSON.parse(body).documentId);
    if (!LIVE.test(name)) this.operations.push(name);
    for (const check of this.waiting) check();
    for (const hold of this.holds.filter((candidate) => candidate.matches(name))) {
      hold.arrived(name);
      if ((await hold.released) || response.destroyed) return response.destroy();
    }
    const { hostname, port, pathname } = this.target;
    const outgoing = request({ hostname, port, path: pathname, method: 'POST', headers: incoming.headers });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    if (LIVE.test(name)) {
      this.live.set(response, { name, cursor: incoming.headers['last-event-id'] });
      response.on('close', () => this.live.delete(response));
    }
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      // The first event of a live operation can be far away.
      response.flushHeaders();
      if (this.live.has(response)) this.markOpen(response);
      answer.pipe(response);
    });
    outgoing.end(body);
  }

  markOpen(response) {
    this.live.get(response).isOpen = true;
    for (const check of this.waiting) check();
  }

  /** Waits until live operations with these names are open, and returns them. Changes from then on are events. */
  waitForLive(...names) {
    const find = () => names.map((name) => [...this.live.values()].find((operation) => operation.isOpen && operation.name === name));
    return this.waitUntil(() => {
      const found = find();
      return found.every(Boolean) && found;
    });
  }

  /** Waits until as many queries and mutations have arrived. */
  waitForOperations(count) {
    return this.waitUntil(() => this.operations.length >= count);
  }

  /** Resolves with the first truthy result. */
  waitUntil(find) {
    return new Promise((resolve) => {
      const check = () => {
        const found = find();
        if (!found) return;
        this.waiting.delete(check);
        resolve(found);
      };
      this.waiting.add(check);
      check();
    });
  }

  /** Cuts the connections of all live operations. The portal opens them again. */
  cutLive() {
    for (const response of this.live.keys()) response.destroy();
  }

  /**
   * Holds all operations with one of the names back. `all` resolves when each of them has arrived, `release` lets them
   * pass, and `fail` closes their connections.
   */
  hold(...names) {
    const hold = { matches: (name) => names.includes(name) };
    const missing = new Set(names);
    hold.all = new Promise((resolve) => {
      hold.arrived = (name) => {
        missing.delete(name);
        if (missing.size === 0) resolve();
      };
    });
    hold.released = new Promise((resolve) => {
      const end = (fails) => () => {
        this.holds = this.holds.filter((candidate) => candidate !== hold);
        resolve(fails);
      };
      hold.release = end(false);
      hold.fail = end(true);
    });
    this.holds.push(hold);
    return hold;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
