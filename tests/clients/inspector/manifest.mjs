// Reads manifests of persisted documents in the formats that TENANTRY_TRUSTED_DOCUMENTS_FILE accepts.
import { Kind, parse } from 'graphql';

/** Returns the operations of a manifest, each with its file, its identifier and its name. */
export function operations(file, json) {
  const manifest = JSON.parse(json);
  const documents = Array.isArray(manifest?.operations)
    ? // Apollo's manifest.
      manifest.operations.map(({ id, body }) => [id, body])
    : // GraphQL Code Generator and Relay: texts by identifier.
      Object.entries(manifest);
  return documents.flatMap(([id, text]) => {
    const document = read(file, id, text);
    return document.definitions
      .filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
      .map((operation) => ({
        file,
        id,
        name: operation.name?.value ?? '(anonymous)',
        document,
        operation,
      }));
  });
}

function read(file, id, text) {
  if (typeof text !== 'string') throw new Error(`${file}: ${id} is not a document: expected its text`);
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${file}: ${id}: ${error.message}`);
  }
}
