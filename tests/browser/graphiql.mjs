// The playground as somebody uses it.

/** Goes to it, and waits until it can be written in. */
export async function visit(page, url) {
  await page.goto(url);
  await editor(page, 'Operation').getByText('me', { exact: true }).first().waitFor();
}

const PLACES = {
  Operation: '.graphiql-query-editor',
  Variables: '.graphiql-editor-tool .graphiql-editor >> nth=0',
  Answer: '.result-window',
};

export const editor = (page, name) => page.locator(PLACES[name]);

export async function tab(page, name) {
  await page.getByRole('tab', { name, exact: true }).click();
  await editor(page, 'Operation').getByText(name, { exact: true }).first().waitFor();
}

export async function as(page, name) {
  await page.getByRole('radio', { name }).check();
}

/** Waits until a line of the answer says so: the editor draws it some time after it has come. */
export const says = (page, text) =>
  editor(page, 'Answer').locator('.view-line').filter({ hasText: text }).first().waitFor();

/** Runs what is in front. */
export const run = (page) =>
  answered(page, () => page.getByRole('button', { name: /^Execute query/ }).click());

/** Does what asks the gateway, and waits until that answer is on the screen. */
export async function answered(page, act) {
  const asked = page.waitForResponse((response) => {
    const posted = response.request().postData() ?? '';
    return response.url().endsWith('/graphql') && !/IntrospectionQuery|query Places/.test(posted);
  });
  await act();
  const response = await asked;
  await page.locator('.answer-request').getByText(response.headers()['x-request-id']).waitFor();
  return response;
}
