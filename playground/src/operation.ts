// Derives facts about the operations of a document from its text. GraphiQL's own state is briefly stale
// after a tab switch, and a request cannot wait for it.
import { Kind, parse, type OperationDefinitionNode } from 'graphql';

function parseOperations(query: string): OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return []; // The gateway reports the syntax error.
  }
}

/** Returns the `operationName` to send: `wanted`, unless the document's only operation has another name. */
export function resolveOperationName(query: string, wanted: string | null | undefined): string | undefined {
  const operations = parseOperations(query);
  const exists = operations.some(({ name }) => name?.value === wanted);
  if (exists || operations.length !== 1) return wanted ?? undefined;
  return operations[0]?.name?.value;
}

/** Returns whether the document has operations and all of them are queries. */
export function containsOnlyQueries(query: string): boolean {
  const operations = parseOperations(query);
  return operations.length > 0 && operations.every(({ operation }) => operation === 'query');
}
