// Programs that live no longer than this process, however it ends.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

// Ends its program when its own input ends. It holds no output open itself: where the program ends, so
// do its lines.
const KEEPER = `
trap '' INT TERM HUP
"$@" </dev/null & pid=$!
exec >/dev/null 2>&1
read -r word
kill -9 "$pid"; wait "$pid"
`;

/** A started program and what it says, on both outputs. */
export class Running {
  constructor(name, command, { env = {}, cwd } = {}) {
    this.name = name;
    this.said = [];
    this.waiting = new Set();
    this.child = spawn('sh', ['-c', KEEPER, 'sh', ...command], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Who writes to a keeper that has just ended need not fall over it.
    this.child.stdin.on('error', () => {});
    const both = new PassThrough();
    let open = 2;
    for (const output of [this.child.stdout, this.child.stderr]) {
      output.pipe(both, { end: false });
      output.on('end', () => (open -= 1) === 0 && both.end());
    }
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    const lines = createInterface({ input: both });
    lines.on('line', (line) => this.hear(line));
    lines.on('close', () => this.hear(undefined));
  }

  hear(line) {
    this.said.push(line);
    for (const waiting of this.waiting) waiting(line);
  }

  /** What `find` makes of the first line that it makes something of; fails where the program ends. */
  line(find) {
    return new Promise((resolve, reject) => {
      const look = (line) => {
        if (line === undefined) {
          this.waiting.delete(look);
          reject(new Error(`${this.name} has ended:\n${this.said.slice(-15).join('\n')}`));
          return true;
        }
        const found = find(line);
        if (!found) return false;
        this.waiting.delete(look);
        resolve(found);
        return true;
      };
      if (!this.said.some(look)) this.waiting.add(look);
    });
  }

  /** Ends it; returns when it is gone. */
  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** Runs a program to its end; its output, or an error with it. */
export function run(command, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let said = '';
    child.stdout.on('data', (part) => (said += part));
    child.stderr.on('data', (part) => (said += part));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(said) : reject(new Error(`${command.join(' ')} failed:\n${said}`)),
    );
  });
}
