// The worker that validates and completes GraphQL in the editors. It corrects the JSON schema of variables:
// monaco-graphql marks each non-null input field and variable as required, even one that has a default.
import { initialize } from 'monaco-editor/esm/vs/editor/editor.worker.js';
import { GraphQLWorker } from 'monaco-graphql/esm/GraphQLWorker.js';

interface ObjectSchema {
  properties?: Record<string, { default?: unknown }>;
  required?: string[];
}

interface VariablesSchema extends ObjectSchema {
  definitions?: Record<string, ObjectSchema>;
}

/** Removes the fields with a default from the list of required fields. */
function correctRequired(schema: ObjectSchema) {
  schema.required = schema.required?.filter((name) => schema.properties?.[name]?.default === undefined);
}

class PlaygroundWorker extends GraphQLWorker {
  override async doGetVariablesJSONSchema(uri: string) {
    const schema = (await super.doGetVariablesJSONSchema(uri)) as VariablesSchema | null;
    if (!schema) return null;
    for (const definition of Object.values(schema.definitions ?? {})) correctRequired(definition);
    return schema as never;
  }
}

globalThis.onmessage = () => {
  initialize((context: never, createData: never) => new PlaygroundWorker(context, createData));
};
