// The steps that a user takes in the playground.
import { readFileSync } from 'node:fs';

/** Opens the playground and waits until the operation can be edited. */
export async function visit(page, url) {
  await page.goto(url);
  await waitForEditor(page);
}

/** Waits until GraphiQL has replaced the form. */
export async function waitForEditor(page) {
  await editor(page, 'Operation').getByText('me', { exact: true }).first().waitFor();
  // The page names its editors after it has created all of them.
  await page.getByRole('textbox', { name: /^Operation\. / }).waitFor({ state: 'attached' });
}

/** Waits until the demo identities are loaded. */
export const waitForIdentities = (page) => page.getByRole('radio', { name: 'anonymous' }).waitFor();

const EDITORS = {
  Operation: '.graphiql-query-editor',
  Variables: '.graphiql-editor-tool .graphiql-editor >> nth=0',
  Response: '.result-window',
};

export const editor = (page, name) => page.locator(EDITORS[name]);

/** The line below the response, with the identity, the status and the error codes. */
export const responseInfo = (page) => page.locator('.response-info');

export async function openTab(page, name) {
  await page.getByRole('tab', { name, exact: true }).click();
  await editor(page, 'Operation').getByText(name, { exact: true }).first().waitFor();
}

export async function selectIdentity(page, name) {
  await page.getByRole('radio', { name }).check();
}

/** Waits for a line of the response with this text. The editor draws lines after the response arrives. */
export const waitForLine = (page, text) =>
  editor(page, 'Response').locator('.view-line').filter({ hasText: text }).first().waitFor();

export const clickExecute = (page) => page.getByRole('button', { name: /^Execute query/ }).click();

/** Runs the operation of the active tab. Returns the response. */
export const runOperation = (page) => waitForResponse(page, () => clickExecute(page));

/** Performs an action that runs an operation. Returns its response when the page shows its request ID. */
export async function waitForResponse(page, action) {
  const pendingResponse = page.waitForResponse((response) => {
    const body = response.request().postData() ?? '';
    return response.url().endsWith('/graphql') && !/IntrospectionQuery|query PlaceholderValues/.test(body);
  });
  await action();
  const response = await pendingResponse;
  await page.locator('.request-id').getByText(response.headers()['x-request-id']).waitFor();
  return response;
}

/** Waits until the documentation shows the description of a type, as `schema.graphql` has it. */
export async function waitForTypeDescription(page, type) {
  const schema = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
  const pattern = new RegExp(`"""\\n?((?:(?!""")[^])+?)\\n?"""\\ntype ${type}\\b`);
  const description = pattern.exec(schema)?.[1];
  if (!description) throw new Error(`schema.graphql has no description of the type ${type}`);
  const [firstSentence] = description.replaceAll('`', '').replace(/\s+/g, ' ').split(/(?<=\.) /);
  await page.locator('.graphiql-doc-explorer-content').getByText(firstSentence).first().waitFor();
}
