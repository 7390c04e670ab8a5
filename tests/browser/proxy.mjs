// A reverse proxy that serves the gateway below a path, and can interrupt event streams.
import { createServer, request as sendRequest } from 'node:http';

export async function startProxy(url, prefix = '') {
  const streams = new Set();
  const server = createServer((request, response) => {
    if (!request.url.startsWith(prefix)) return response.writeHead(404).end();
    const { method, headers } = request;
    // Each request has its own connection, since the gateway may close an idle one at any time.
    const options = { method, headers, agent: false };
    const upstream = sendRequest(new URL(request.url.slice(prefix.length), url), options, (upstreamResponse) => {
      if (upstreamResponse.headers['content-type'] === 'text/event-stream') streams.add(response);
      upstreamResponse.pipe(response.writeHead(upstreamResponse.statusCode, upstreamResponse.headers));
    });
    upstream.on('error', (error) => response.destroy(error));
    response.on('close', () => {
      streams.delete(response);
      upstream.destroy();
    });
    request.pipe(upstream);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Ends the connections of all event streams, without an event `complete`. */
    interruptStreams() {
      for (const response of streams) response.destroy();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
