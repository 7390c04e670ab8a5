import { DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect, useRef } from 'react';
import { ClearIntrospectionError, EditorOptions, FollowSystemTheme, ScrollToActiveTab } from './editors';
import { FillExampleTab, PlaceholderProvider } from './example-tabs';
import { EXAMPLES } from './examples';
import { EXAMPLES_PLUGIN } from './examples-pane';
import { fetcher } from './fetcher';
import { containsOnlyQueries } from './operation';
import { ResponseFooter } from './response-footer';
import { useSchemaStatus } from './response-info';
import { BUILDER_PLUGIN, DOCUMENTATION_PLUGIN } from './schema-panes';
import { refreshIdentities, useSession } from './session';
import { storage } from './storage';
import { TopBar } from './top-bar';

const PLUGINS = [EXAMPLES_PLUGIN, BUILDER_PLUGIN, HISTORY_PLUGIN];

/** The same breakpoint as in style.css. A narrower window has no room for a pane beside the editors. */
const NARROW = matchMedia('(max-width: 860px)').matches;

const defaultTabs = (devMode: boolean) =>
  EXAMPLES.filter(({ defaultTab, withoutDemoData }) => (devMode ? defaultTab : withoutDemoData)).map(
    ({ query }) => ({ query }),
  );

export function App() {
  const { devMode } = useSession();
  useEffect(() => {
    if (devMode) void refreshIdentities();
  }, [devMode]);
  return (
    <PlaceholderProvider>
      <TopBar />
      <main>
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={defaultTabs(devMode)}
          plugins={PLUGINS}
          referencePlugin={DOCUMENTATION_PLUGIN}
          visiblePlugin={devMode && !NARROW ? EXAMPLES_PLUGIN : undefined}
          // A token in a header must not outlive the page. This hides the setting that would persist
          // headers. `storage` drops them in any case.
          shouldPersistHeaders={false}
          storage={storage}
          defaultEditorToolsVisibility="variables"
        >
          {/* Replaces GraphiQL's logo, which links to another host. */}
          <GraphiQL.Logo>
            <SchemaStatusLabel />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <ResponseFooter />
          </GraphiQL.Footer>
          <DocExplorerStore>{null}</DocExplorerStore>
          <EditorOptions />
          <FollowSystemTheme />
          <ScrollToActiveTab />
          <ClearIntrospectionError />
          <FillExampleTab />
          <RerunOnIdentityChange />
        </GraphiQL>
      </main>
    </PlaceholderProvider>
  );
}

function SchemaStatusLabel() {
  const status = useSchemaStatus();
  if (status === 'disabled') return <span className="schema-status">introspection is disabled</span>;
  if (status === 'unreachable') return <span className="schema-status">no connection</span>;
  return <></>;
}

/**
 * Runs the current operation again after the user has selected another identity, if it has a response
 * or is still running. Mutations are not run again, because the user must trigger each one.
 */
function RerunOnIdentityChange() {
  const { manualSelections } = useSession();
  const { run, stop } = useGraphiQLActions();
  const { fetching, queryEditor, responseEditor } = useGraphiQL((state) => ({
    fetching: state.isFetching,
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const handledSelections = useRef(manualSelections);
  useEffect(() => {
    if (handledSelections.current === manualSelections) return;
    handledSelections.current = manualSelections;
    const hasRun = fetching || Boolean(responseEditor?.getValue());
    if (!hasRun || !containsOnlyQueries(queryEditor?.getValue() ?? '')) return;
    // `run` only stops the request while one is running, so `stop` comes first.
    stop();
    void run();
  }, [manualSelections, fetching, queryEditor, responseEditor, run, stop]);
  return null;
}
