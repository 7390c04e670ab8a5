// The panes that need the schema, and what they say where the gateway does not tell it.
import { DOC_EXPLORER_PLUGIN, DocExplorer } from '@graphiql/plugin-doc-explorer';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { useGraphiQLActions, type GraphiQLPlugin } from '@graphiql/react';
import type { ComponentType } from 'react';
import { useSchemaState } from './answers';

function withSchema(Content: ComponentType): ComponentType {
  return function Pane() {
    const schema = useSchemaState();
    if (schema === 'withheld') return <Withheld />;
    if (schema === 'unreachable') return <Unreachable />;
    return <Content />;
  };
}

function Withheld() {
  return (
    <section className="no-schema" aria-label="No schema">
      <div className="graphiql-doc-explorer-title">No schema here</div>
      <p>
        Introspection is off at this gateway, so there is no documentation, no completion, and no
        check while you write. Operations run all the same.
      </p>
      <p>
        Whoever runs it can turn it on with <code>TENANTRY_INTROSPECTION=true</code>; anybody can print
        the schema with <code>tenantry schema</code>.
      </p>
    </section>
  );
}

function Unreachable() {
  const { introspect } = useGraphiQLActions();
  return (
    <section className="no-schema" aria-label="No schema" role="alert">
      <div className="graphiql-doc-explorer-title">No schema yet</div>
      <p>The gateway cannot be reached. Is it still running?</p>
      <button type="button" className="bar-button" onClick={() => void introspect()}>
        Try again
      </button>
    </section>
  );
}

export const DOCUMENTATION_PLUGIN: GraphiQLPlugin = {
  ...DOC_EXPLORER_PLUGIN,
  title: 'Documentation',
  content: withSchema(DocExplorer),
};

const explorer = explorerPlugin();

export const BUILDER_PLUGIN: GraphiQLPlugin = {
  ...explorer,
  title: 'Operation builder',
  content: withSchema(explorer.content),
};
