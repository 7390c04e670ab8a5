// Runs a real gateway (`tenantry dev`) with its own data until it is stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const root = resolve(import.meta.dirname, '../../..');
const program = resolve(
  root,
  process.env.TENANTRY ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug/tenantry'),
);

/** Starts a gateway with options from these environment variables. */
export async function start(variables = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-clients-'));
  const binds = ['--bind', '127.0.0.1:0', '--admin-bind', '127.0.0.1:0'];
  const child = spawn(program, ['dev', ...binds], {
    cwd: folder,
    // The environment of the test is not passed on, because each variable could be an option. The rate
    // limit is off because its effect would depend on the speed of the machine.
    env: { TENANTRY_RATE_LIMIT: 'off', TENANTRY_LOG: 'warn', ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close').catch(() => {});
  const stop = async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await once(child, 'spawn');
    const endpoint = await findInOutput(child, /^endpoint\s+(\S+)$/);
    const response = await fetch(new URL('/dev/identities', endpoint));
    const identities = await response.json();
    const tokens = Object.fromEntries(identities.map(({ name, token }) => [name, token]));
    return { endpoint, tokens, stop };
  } catch (error) {
    await stop();
    throw new Error(`${program} did not start (set TENANTRY to use another binary)`, { cause: error });
  }
}

/** Returns the first group of the pattern from the first line of standard output that matches. */
async function findInOutput(child, pattern) {
  let found;
  for await (const line of createInterface({ input: child.stdout })) {
    found = pattern.exec(line)?.[1];
    if (found !== undefined) break;
  }
  child.stdout.resume();
  if (found === undefined) throw new Error(`standard output has no line that matches ${pattern}`);
  return found;
}
