// The lists of documents that clients are built with, in the forms that TENANTRY_DOCUMENTS_FILE takes.
import { Kind, parse } from 'graphql';

/** The operations of a list: of which file, by which identifier, under which name. */
export function operations(file, json) {
  const list = JSON.parse(json);
  const documents = Array.isArray(list?.operations)
    ? // Apollo's manifest.
      list.operations.map(({ id, body }) => [id, body])
    : // GraphQL Code Generator and Relay: texts by identifier.
      Object.entries(list);
  return documents.flatMap(([id, text]) => {
    const document = read(file, id, text);
    return document.definitions
      .filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
      .map((operation) => ({
        file,
        id,
        name: operation.name?.value ?? '(no name)',
        document,
        operation,
      }));
  });
}

function read(file, id, text) {
  if (typeof text !== 'string') throw new Error(`${file}: ${id} is no document`);
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${file}: ${id}: ${error.message}`);
  }
}
