// Clients: GraphQL requests over HTTP, and connections on which a caller sends any bytes.

import { Agent, request } from 'node:http';
import { connect } from 'node:net';

/** The address of a client that is not the hostile one. */
export const OTHER_ADDRESS = '127.0.0.9';

/** Sends an HTTP request. Resolves with status, headers and text, or with status 0 if there is no response. */
export function send(address, { path = '/graphql', method = 'POST', headers = {}, body, localAddress, signal, timeout = 30_000 } = {}) {
  return new Promise((resolve) => {
    const failed = (error) => resolve({ status: 0, headers: {}, text: String(error) });
    const options = { method, headers, localAddress, signal, agent: new Agent(), timeout };
    const outgoing = request(`http://${address}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on('error', failed);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout'))).on('error', failed);
    outgoing.end(body);
  });
}

/** Returns the head fields of a GraphQL request. */
export function graphqlHeaders(token, key) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers['idempotency-key'] = key;
  return headers;
}

/** Sends a GraphQL request. Resolves with the response, whose `json` is the parsed body. */
export async function execute(address, token, query, variables, { key, ...options } = {}) {
  const body = JSON.stringify({ query, variables });
  const response = await send(address, { headers: graphqlHeaders(token, key), body, ...options });
  try {
    return { ...response, json: JSON.parse(response.text) };
  } catch {
    return { ...response, json: null };
  }
}

/** Returns the bytes of a POST request of HTTP/1.1. */
export function requestBytes(body, headers) {
  const fields = Object.entries({ host: 'x', 'content-length': Buffer.byteLength(body), ...headers });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`POST /graphql HTTP/1.1\r\n${head}\r\n${body}`);
}

/** A connection. `received` has all bytes so far as text. */
export class Connection {
  static open(address, options = {}) {
    const connection = new Connection();
    const [host, port] = address.split(':');
    connection.received = '';
    connection.socket = connect({ host, port: Number(port), allowHalfOpen: true, ...options });
    connection.socket.setEncoding('latin1').on('error', () => {});
    // Resolves with the first line of the response, or of the bytes before the end of the connection.
    connection.answered = new Promise((resolve) => {
      const finish = () => resolve(connection.received.split('\r\n')[0]);
      connection.socket.on('data', (chunk) => {
        connection.received += chunk;
        if (connection.received.includes('\r\n\r\n')) finish();
      });
      connection.socket.once('end', finish).once('close', finish);
    });
    connection.connected = new Promise((resolve) => {
      for (const event of ['connect', 'close']) connection.socket.once(event, () => resolve());
    });
    return connection;
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  /** Resolves with the first line of the response, or with an empty text after the time limit. */
  async statusLine(timeout) {
    let timer;
    const expired = new Promise((resolve) => (timer = setTimeout(() => resolve(''), timeout)));
    const line = await Promise.race([this.answered, expired]);
    clearTimeout(timer);
    return line;
  }

  destroy() {
    this.socket.destroy();
  }
}

/** Runs `count` tasks, at most `limit` at the same time. Resolves with their results. */
export async function runAll(count, limit, task) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const n = next++;
      results[n] = await task(n);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
  return results;
}
