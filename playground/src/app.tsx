import { DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect, useRef } from 'react';
import { useSchemaState } from './answers';
import { Bar } from './bar';
import { onlyReads } from './document';
import { EditorOptions, NoErrorForAnswer, SystemTheme, TabInSight } from './editors';
import { ExampleTabs, PlacesProvider } from './example-tabs';
import { EXAMPLES } from './examples';
import { EXAMPLES_PLUGIN } from './examples-pane';
import { fetcher } from './fetcher';
import { AnswerState } from './footer';
import { BUILDER_PLUGIN, DOCUMENTATION_PLUGIN } from './schema-panes';
import { renew, useSession } from './session';
import { storage } from './storage';

const PLUGINS = [EXAMPLES_PLUGIN, BUILDER_PLUGIN, HISTORY_PLUGIN];

/** As in style.css: there is no room for a pane beside the rest. */
const NARROW = matchMedia('(max-width: 860px)').matches;

const openAtFirst = (dev: boolean) =>
  EXAMPLES.filter(({ tab, anywhere }) => (dev ? tab : anywhere)).map(({ query }) => ({ query }));

export function App() {
  const { dev } = useSession();
  useEffect(() => {
    if (dev) void renew();
  }, [dev]);
  return (
    <PlacesProvider>
      <Bar />
      <main>
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={openAtFirst(dev)}
          plugins={PLUGINS}
          referencePlugin={DOCUMENTATION_PLUGIN}
          visiblePlugin={dev && !NARROW ? EXAMPLES_PLUGIN : undefined}
          // A token in a header must not outlive the page: nothing offers to keep it, and nothing does.
          shouldPersistHeaders={false}
          storage={storage}
          defaultEditorToolsVisibility="variables"
        >
          {/* In place of a link to another host. */}
          <GraphiQL.Logo>
            <SchemaState />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <AnswerState />
          </GraphiQL.Footer>
          <DocExplorerStore>{null}</DocExplorerStore>
          <EditorOptions />
          <SystemTheme />
          <TabInSight />
          <NoErrorForAnswer />
          <ExampleTabs />
          <AskAgain />
        </GraphiQL>
      </main>
    </PlacesProvider>
  );
}

function SchemaState() {
  const schema = useSchemaState();
  if (schema === 'withheld') return <span className="schema-state">introspection is off</span>;
  if (schema === 'unreachable') return <span className="schema-state">no connection</span>;
  return <></>;
}

/** Somebody else was chosen: a query that has an answer is asked again. A change is not: that is for people to do. */
function AskAgain() {
  const { switches } = useSession();
  const { run, stop } = useGraphiQLActions();
  const { fetching, queryEditor, responseEditor } = useGraphiQL((state) => ({
    fetching: state.isFetching,
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const done = useRef(switches);
  useEffect(() => {
    if (done.current === switches) return;
    done.current = switches;
    const asked = fetching || Boolean(responseEditor?.getValue());
    if (!asked || !onlyReads(queryEditor?.getValue() ?? '')) return;
    // To run while something runs is to stop it, and no more.
    stop();
    void run();
  }, [switches, fetching, queryEditor, responseEditor, run, stop]);
  return null;
}
