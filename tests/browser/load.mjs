// Measures cold loads of the playground. Usage: `load.mjs URL [RUNS]`. Each run starts a browser with an empty profile.
import { launch } from './browser.mjs';
import { waitForEditor } from './graphiql.mjs';

const [url, runs = '5'] = process.argv.slice(2);

/**
 * Notes when the Run button appears, when the response to a click at that moment appears, and when the editor appears,
 * in milliseconds since the navigation.
 */
function observe() {
  const marks = {};
  const parts = {
    run: () => document.querySelector('.starter-actions button, .graphiql-execute-button'),
    response: () => document.querySelector('.starter-response pre, .result-window .view-lines')?.textContent,
    editor: () => document.querySelector('.graphiql-query-editor .view-line span span'),
  };
  const look = () => {
    for (const [name, find] of Object.entries(parts)) {
      if (marks[name] !== undefined) continue;
      const found = find();
      if (!found) continue;
      marks[name] = performance.now();
      if (name === 'run') setTimeout(() => found.click());
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  Object.assign(globalThis, { marks });
}

async function measure() {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const sizes = [];
  page.on('requestfinished', async (request) => {
    const { responseHeadersSize, responseBodySize } = await request.sizes();
    sizes.push(responseHeadersSize + responseBodySize);
  });
  await page.addInitScript(observe);
  await page.goto(url, { waitUntil: 'commit' });
  await waitForEditor(page);
  // The workers and the schema follow.
  for (let count = -1; count !== sizes.length; ) {
    count = sizes.length;
    await page.waitForTimeout(2_000);
  }
  const { run, response, editor } = await page.evaluate(() => globalThis.marks);
  await browser.close();
  return { run, response, editor, bytes: sizes.reduce((sum, size) => sum + size, 0), requests: sizes.length };
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const results = [];
for (let count = 0; count < Number(runs); count += 1) results.push(await measure());
for (const name of Object.keys(results[0])) {
  const values = results.map((result) => Math.round(result[name]));
  console.log(`${name.padEnd(9)} ${String(median([...values])).padStart(8)}   ${values.join(' ')}`);
}
