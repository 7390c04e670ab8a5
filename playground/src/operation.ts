// Derives facts about the operations of a document from its text. GraphiQL's own state is briefly stale
// after a tab switch, and a request cannot wait for it.
import type { DefinitionNode, OperationDefinitionNode } from 'graphql';

const isOperation = (definition: DefinitionNode) => definition.kind === 'OperationDefinition';

/** Loads the parser on demand, so that the page does not wait for it at the start. */
async function parseDocument(query: string): Promise<readonly DefinitionNode[]> {
  const { parse } = await import('graphql');
  try {
    return parse(query).definitions;
  } catch {
    return []; // The gateway reports the syntax error.
  }
}

async function parseOperations(query: string): Promise<OperationDefinitionNode[]> {
  return (await parseDocument(query)).filter(isOperation);
}

/** Returns the `operationName` to send: `wanted`, unless the document's only operation has another name. */
export async function resolveOperationName(
  query: string,
  wanted: string | null | undefined,
): Promise<string | undefined> {
  const operations = await parseOperations(query);
  const exists = operations.some(({ name }) => name?.value === wanted);
  if (exists || operations.length !== 1) return wanted ?? undefined;
  return operations[0]?.name?.value;
}

/** Returns whether the document has operations and all of them are queries. */
export async function containsOnlyQueries(query: string): Promise<boolean> {
  const operations = await parseOperations(query);
  return operations.length > 0 && operations.every(({ operation }) => operation === 'query');
}

/** Returns whether the operation with this name, or the document's only one, is a subscription. */
export async function isSubscription(query: string, wanted: string | null | undefined): Promise<boolean> {
  const operations = await parseOperations(query);
  const selected = operations.find(({ name }) => name?.value === wanted) ?? operations[0];
  return selected?.operation === 'subscription';
}

/** Moves an operation to the front of its document, because GraphiQL selects the first one of a new tab. */
export async function moveToFront(query: string, operationName: string | null): Promise<string> {
  if (!operationName) return query;
  const definitions = await parseDocument(query);
  const selected = definitions.find(
    (definition) => isOperation(definition) && definition.name?.value === operationName,
  );
  if (!selected || definitions[0] === selected) return query;
  const { print } = await import('graphql');
  return [selected, ...definitions.filter((definition) => definition !== selected)].map(print).join('\n\n');
}
