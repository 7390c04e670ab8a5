// Renders a request as a curl command.

interface CurlRequest {
  query: string;
  /** JSON text. */
  variables: string;
  operationName: string | null;
  /** JSON text. */
  headers: string;
  /** Whether the operation is a subscription, which runs as an event stream. */
  live: boolean;
  /** Whether the command sends a token. It names a variable of the shell and never contains the token. */
  authorized: boolean;
}

/** Quotes a text for a POSIX shell. */
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Returns the command.
 *
 * @throws SyntaxError if variables or headers are not JSON.
 */
export function toCurl({ query, variables, operationName, headers, live, authorized }: CurlRequest): string {
  const body = {
    query,
    variables: variables.trim() ? (JSON.parse(variables) as unknown) : undefined,
    operationName: operationName ?? undefined,
  };
  const userHeaders = headers.trim() ? (JSON.parse(headers) as Record<string, unknown>) : {};
  const hasCredential = Object.keys(userHeaders).some(isAuthorization);
  const lines = [
    `curl ${live ? '--no-buffer ' : ''}${quote(new URL('graphql', location.href).href)}`,
    `--header 'content-type: application/json'`,
    ...(live ? [`--header 'accept: text/event-stream'`] : []),
    ...Object.entries(userHeaders)
      .filter(([name]) => !isAuthorization(name))
      .map(([name, value]) => `--header ${quote(`${name}: ${String(value)}`)}`),
    ...(authorized || hasCredential ? ['--header "authorization: Bearer $TOKEN"'] : []),
    `--data ${quote(JSON.stringify(body))}`,
  ];
  return lines.join(' \\\n  ');
}

const isAuthorization = (name: string) => name.toLowerCase() === 'authorization';
