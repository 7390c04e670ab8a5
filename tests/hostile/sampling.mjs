// Observes the memory and the CPU time of a gateway.

import { sleep } from './processes.mjs';

/**
 * Waits until a gateway has nothing to do and opens no more files, at most 20 seconds. A busy machine may not run a
 * gateway for some time, so this must last for `quietTime` milliseconds.
 */
export async function settle(gateway, quietTime = 2_000) {
  const deadline = performance.now() + 20_000;
  let [cpu, files, quiet] = [gateway.cpu(), gateway.openFiles(), 0];
  while (quiet < quietTime / 50 && performance.now() < deadline) {
    await sleep(50);
    const [cpuNow, filesNow] = [gateway.cpu(), gateway.openFiles()];
    quiet = cpuNow - cpu < 2 && filesNow === files ? quiet + 1 : 0;
    [cpu, files] = [cpuNow, filesNow];
  }
}

/** Samples the memory of a gateway until `done` resolves. Returns the growth in MiB. */
export async function memoryGrowth(gateway, action) {
  const idle = gateway.rss();
  let peak = idle;
  let finished = false;
  const sample = async () => {
    while (!finished) {
      peak = Math.max(peak, gateway.rss());
      await sleep(5);
    }
  };
  const sampling = sample();
  await action(() => peak - idle);
  finished = true;
  await sampling;
  return Math.round(peak - idle);
}

/** Returns the CPU time of the gateway for one request, in milliseconds. */
export async function cpuPerRequest(gateway, count, sendOne) {
  await sendOne();
  const before = gateway.cpu();
  for (let n = 0; n < count; n += 1) await sendOne();
  return (gateway.cpu() - before) / count;
}
