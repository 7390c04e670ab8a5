// The panes that need the schema. Each shows a notice if the schema is unavailable.
import { DOC_EXPLORER_PLUGIN, DocExplorer } from '@graphiql/plugin-doc-explorer';
import { useGraphiQLActions, type GraphiQLPlugin } from '@graphiql/react';
import type { ComponentType } from 'react';
import { lazyPane } from './lazy-pane';
import { useSchemaStatus } from './outcomes';

function requireSchema(Content: ComponentType): ComponentType {
  return function SchemaPane() {
    const status = useSchemaStatus();
    if (status === 'disabled') return <IntrospectionDisabled />;
    if (status === 'unreachable') return <GatewayUnreachable />;
    return <Content />;
  };
}

function IntrospectionDisabled() {
  return (
    <section className="no-schema" aria-label="No schema">
      <div className="graphiql-doc-explorer-title">No schema</div>
      <p>
        Introspection is disabled on this gateway. Documentation, completion and validation in the editor
        are not available. You can still run operations.
      </p>
      <p>
        The operator can enable introspection with <code>TENANTRY_INTROSPECTION=true</code>. Anyone with
        the program can print the schema with <code>tenantry schema</code>.
      </p>
    </section>
  );
}

function GatewayUnreachable() {
  const { introspect } = useGraphiQLActions();
  return (
    <section className="no-schema" aria-label="No schema" role="alert">
      <div className="graphiql-doc-explorer-title">No schema</div>
      <p>The gateway is unreachable. Check that it is still running.</p>
      <button type="button" className="small-button" onClick={() => void introspect()}>
        Try again
      </button>
    </section>
  );
}

export const DOCUMENTATION_PLUGIN: GraphiQLPlugin = {
  ...DOC_EXPLORER_PLUGIN,
  title: 'Documentation',
  content: requireSchema(DocExplorer),
};

/** A folder with a plus sign. */
function BuilderIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round">
      <path d="M2 9V4h5.5l2.5 2h2M2 9v7.5h16V9z" />
      <path d="M16 2v5M13.5 4.5h5" strokeLinecap="round" />
    </svg>
  );
}

export const BUILDER_PLUGIN: GraphiQLPlugin = {
  title: 'Operation builder',
  icon: BuilderIcon,
  content: requireSchema(lazyPane(async () => (await import('@graphiql/plugin-explorer')).explorerPlugin().content)),
};
