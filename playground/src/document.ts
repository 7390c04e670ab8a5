// What a document is by itself. GraphiQL's own notion of it is a moment late after another tab came to
// the front, and a request has no moment.
import { Kind, parse, type OperationDefinitionNode } from 'graphql';

function operations(query: string): OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return []; // The gateway says what is wrong with it.
  }
}

/** The operation to run, where the document has several. */
export function operationName(query: string, wanted: string | null | undefined): string | undefined {
  const found = operations(query);
  const known = found.some(({ name }) => name?.value === wanted);
  if (known || found.length !== 1) return wanted ?? undefined;
  return found[0]?.name?.value;
}

/** Whether it changes nothing, whichever of its operations is run. */
export function onlyReads(query: string): boolean {
  const found = operations(query);
  return found.length > 0 && found.every(({ operation }) => operation === 'query');
}
