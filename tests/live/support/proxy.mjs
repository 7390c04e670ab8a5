// A TCP proxy in front of a gateway, which a test can cut.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export async function startProxy(endpoint) {
  const target = new URL(endpoint);
  const sockets = new Set();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const gateway = connect(target.port, target.hostname);
    for (const [from, to] of [[client, gateway], [gateway, client]]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    endpoint: `http://127.0.0.1:${server.address().port}/graphql`,
    /** Cuts all connections, and refuses new ones until the action is done. */
    async cutDuring(action) {
      isCut = true;
      cut();
      await action();
      isCut = false;
    },
    stop() {
      cut();
      server.close();
    },
  };
}
