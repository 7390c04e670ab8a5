// A real gateway, `tenantry dev`, with data of its own, until it is stopped.
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

/** Starts one with these options, given as variables. */
export async function start(variables = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-clients-'));
  const binds = ['--bind', '127.0.0.1:0', '--admin-bind', '127.0.0.1:0'];
  const child = spawn(program, ['dev', ...binds], {
    cwd: folder,
    // Nothing of the caller's: a variable there would be an option here. How much a caller may ask
    // for in a second is nobody's concern here, and would hang on how fast this machine is.
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
    const endpoint = await said(child, /^endpoint\s+(\S+)$/);
    const response = await fetch(new URL('/dev/identities', endpoint));
    const identities = await response.json();
    const tokens = Object.fromEntries(identities.map(({ name, token }) => [name, token]));
    return { endpoint, tokens, stop };
  } catch (error) {
    await stop();
    throw new Error(`${program} did not start (TENANTRY names another one)`, { cause: error });
  }
}

/** What the pattern holds in the first line of standard output that fits it. */
async function said(child, pattern) {
  let found;
  for await (const line of createInterface({ input: child.stdout })) {
    found = pattern.exec(line)?.[1];
    if (found !== undefined) break;
  }
  child.stdout.resume();
  if (found === undefined) throw new Error(`it said nothing like ${pattern}`);
  return found;
}
