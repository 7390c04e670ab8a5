// Links to an operation, in the form of GraphiQL: `?query=…&variables=…&operationName=…`. A link never
// contains headers, and the page never runs its operation by itself.
import type { Operation } from './initial-operation';

/** Reads the operation of a link. Returns null if the page was opened without one. */
export function readLink(search: string): Operation | null {
  const parameters = new URLSearchParams(search);
  const query = parameters.get('query');
  if (query === null) return null;
  const variables = formatJson(parameters.get('variables') ?? '');
  return { query, variables, operationName: parameters.get('operationName') };
}

/** Returns the address of this page with an operation. */
export function linkTo({ query, variables, operationName }: Operation): string {
  const url = new URL(location.pathname, location.origin);
  url.searchParams.set('query', query);
  if (variables.trim()) url.searchParams.set('variables', variables);
  if (operationName) url.searchParams.set('operationName', operationName);
  return url.href;
}

function formatJson(text: string): string {
  try {
    return text && JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // The gateway or the editor reports the syntax error.
  }
}
