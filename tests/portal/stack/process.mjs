// Child processes that never outlive this process, however it ends.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

// Kills the program when the supervisor's standard input is closed. The supervisor keeps no output open itself, so
// the output ends together with the program.
const SUPERVISOR = `
trap '' INT TERM HUP
"$@" </dev/null & pid=$!
exec >/dev/null 2>&1
read -r line
kill -9 "$pid"; wait "$pid"
`;

/** A started program and the lines of its standard output and standard error. */
export class ManagedProcess {
  constructor(name, command, { env = {}, cwd } = {}) {
    this.name = name;
    this.lines = [];
    this.listeners = new Set();
    this.child = spawn('sh', ['-c', SUPERVISOR, 'sh', ...command], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A write to a supervisor that has just exited must not fail the tests.
    this.child.stdin.on('error', () => {});
    const output = new PassThrough();
    let open = 2;
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.pipe(output, { end: false });
      stream.on('end', () => (open -= 1) === 0 && output.end());
    }
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
    const reader = createInterface({ input: output });
    reader.on('line', (line) => this.addLine(line));
    // `undefined` marks the end of the output.
    reader.on('close', () => this.addLine(undefined));
  }

  addLine(line) {
    this.lines.push(line);
    for (const listener of this.listeners) listener(line);
  }

  /** Resolves with the first truthy result of `parse` for a line. Rejects if the program exits before. */
  waitForLine(parse) {
    return new Promise((resolve, reject) => {
      const listener = (line) => {
        if (line === undefined) {
          this.listeners.delete(listener);
          reject(new Error(`${this.name} has exited:\n${this.lines.slice(-15).join('\n')}`));
          return true;
        }
        const result = parse(line);
        if (!result) return false;
        this.listeners.delete(listener);
        resolve(result);
        return true;
      };
      if (!this.lines.some(listener)) this.listeners.add(listener);
    });
  }

  /** Kills the program and waits until it has exited. */
  async stop() {
    this.child.stdin.end();
    await this.exited;
  }
}

/** Runs a program until it exits. Resolves with its output, or rejects with an error that contains it. */
export function run(command, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command.join(' ')} failed:\n${output}`)),
    );
  });
}
