// Runs every GraphQL-over-HTTP audit of graphql-http against a URL and prints the results as JSON.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);

const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  results.push({
    id: audit.id,
    name: audit.name,
    status: result.status,
    ...(result.status === 'ok' ? {} : { reason: result.reason }),
  });
}
process.stdout.write(JSON.stringify(results));
