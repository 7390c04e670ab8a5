// The SMTP server of `tests/smtp` with TLS. The gateway's mail arrives there, and the tests read it as a mail program does.

import { access } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import PostalMime from 'postal-mime';

const FOLDER = fileURLToPath(new URL('../../smtp', import.meta.url));

export class MailServer {
  static async start({ certificate, key }) {
    await access(`${FOLDER}/node_modules/smtp-server`).catch(() => {
      throw new Error('the portal tests need an SMTP server. Run: scripts/lay-out-npm tests/smtp');
    });
    const server = new MailServer();
    // It exits when its standard input ends, so it never outlives this process.
    server.child = spawn(process.execPath, ['server.mjs', certificate, key, 'smtps'], { cwd: FOLDER, stdio: ['pipe', 'pipe', 'inherit'] });
    server.child.stdin.on('error', () => {});
    server.exited = new Promise((resolve) => server.child.once('exit', resolve));
    const port = new Promise((resolve) => (server.onPort = resolve));
    createInterface({ input: server.child.stdout }).on('line', (line) => server.handle(JSON.parse(line)));
    server.port = await port;
    return server;
  }

  constructor() {
    /** The accepted messages that no test has read. */
    this.messages = [];
    this.readers = new Set();
  }

  /** The URL for the gateway. */
  get url() {
    return `smtps://portal:${encodeURIComponent('p@ss:word')}@localhost:${this.port}`;
  }

  handle(event) {
    if (event.port) this.onPort(event.port);
    else if (event.event === 'mail') this.messages.push(event);
    else if (event.event === 'ok') this.onCommand();
    for (const reader of this.readers) reader();
  }

  /** Waits for an unread message with this recipient, and this subject if there is one. Returns its parts and its envelope. */
  read(recipient, subject) {
    return new Promise((resolve) => {
      const reader = () => {
        const message = this.messages.find(({ to, data }) => to.includes(recipient) && (!subject || data.includes(`\nSubject: ${subject}\r\n`)));
        if (!message) return;
        this.readers.delete(reader);
        this.messages.splice(this.messages.indexOf(message), 1);
        resolve(PostalMime.parse(message.data).then((parts) => ({ ...parts, envelope: message })));
      };
      this.readers.add(reader);
      reader();
    });
  }

  /** Refuses the next recipients with this code. Resolves when the server does so. */
  refuse(code, count) {
    return new Promise((resolve) => {
      this.onCommand = resolve;
      this.child.stdin.write(`refuse ${code} ${count}\n`);
    });
  }

  async stop() {
    this.child.stdin.end();
    await this.exited;
  }
}
