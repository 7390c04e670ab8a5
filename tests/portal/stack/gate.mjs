// A proxy between the portal and its gateway. It records the operations that the portal executes, and can hold requests
// back, so that a test decides when their responses arrive.

import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export class GatewayGate {
  static async start(gatewayUrl, trustedDocuments) {
    const gate = new GatewayGate();
    gate.target = new URL(gatewayUrl);
    const documents = JSON.parse(await readFile(trustedDocuments, 'utf8'));
    gate.names = new Map(
      Object.entries(documents).map(([hash, text]) => [hash, /\b(?:query|mutation) (\w+)/.exec(text)[1]]),
    );
    gate.server = createServer((incoming, response) => gate.handle(incoming, response).catch(() => response.destroy()));
    await new Promise((resolve) => gate.server.listen(0, '127.0.0.1', resolve));
    gate.url = `http://127.0.0.1:${gate.server.address().port}/graphql`;
    return gate;
  }

  constructor() {
    /** The names of the operations, in the order of their arrival. */
    this.operations = [];
    this.holds = [];
    /** Whether requests fail as if the gateway could not be reached. */
    this.isClosed = false;
  }

  async handle(incoming, response) {
    const body = await buffer(incoming);
    if (this.isClosed) return response.destroy();
    const name = this.names.get(JSON.parse(body).documentId);
    this.operations.push(name);
    for (const hold of this.holds.filter((candidate) => candidate.matches(name))) {
      hold.arrived(name);
      await hold.released;
    }
    const { hostname, port, pathname } = this.target;
    const outgoing = request({ hostname, port, path: pathname, method: 'POST', headers: incoming.headers });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    outgoing.end(body);
  }

  /**
   * Holds all operations with one of the names back. `all` resolves when each of them has arrived, `release` lets them
   * pass.
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
      hold.release = () => {
        this.holds = this.holds.filter((candidate) => candidate !== hold);
        resolve();
      };
    });
    this.holds.push(hold);
    return hold;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
