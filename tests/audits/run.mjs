// Runs every audit of GraphQL over HTTP against a URL, and prints what each found as JSON.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);

const told = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  told.push({
    id: audit.id,
    name: audit.name,
    status: result.status,
    ...(result.status === 'ok' ? {} : { reason: result.reason }),
  });
}
process.stdout.write(JSON.stringify(told));
