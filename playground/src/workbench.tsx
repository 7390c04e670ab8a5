// GraphiQL with the panes, buttons and behaviour of the playground.
import { DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect, useRef } from 'react';
import {
  ClearIntrospectionError,
  EditorOptions,
  FocusNewTab,
  FollowSystemTheme,
  ScrollToActiveTab,
  StoreOnLeave,
  TakeOverFromStarter,
} from './editors';
import { FillExampleTab, PlaceholderProvider, SelectIdentityOfTab } from './example-tabs';
import { EXAMPLES_PLUGIN } from './examples-pane';
import { fetcher } from './fetcher';
import { defaultTabs } from './initial-operation';
import { KeyboardHint, RunShortcut } from './keyboard';
import { findLiveOperation } from './live';
import { LiveTabs } from './live-tabs';
import './monaco/workers';
import { containsOnlyQueries } from './operation';
import { useSchemaStatus } from './outcomes';
import { ResponseFooter } from './response-footer';
import { BUILDER_PLUGIN, DOCUMENTATION_PLUGIN } from './schema-panes';
import { useSession } from './session';
import { ShareButtons } from './share-buttons';
import type { StarterState } from './starter';
import { loadItem, saveItem, storage } from './storage';
import { isNarrow } from './window';

const PLUGINS = [EXAMPLES_PLUGIN, BUILDER_PLUGIN, HISTORY_PLUGIN];

// GraphiQL gives a pane a third of the window unless the user has resized it. A quarter is enough.
const PANE_SIZE_KEY = 'graphiql:docExplorerFlex';
if (loadItem(PANE_SIZE_KEY) === null) saveItem(PANE_SIZE_KEY, '0.3');

/** `startedWith` is the state of the form that the user saw until now. */
export function Workbench({ startedWith }: { startedWith: StarterState }) {
  const { devMode } = useSession();
  return (
    <PlaceholderProvider>
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={defaultTabs(devMode, startedWith)}
        plugins={PLUGINS}
        referencePlugin={DOCUMENTATION_PLUGIN}
        visiblePlugin={devMode && !isNarrow() ? EXAMPLES_PLUGIN : undefined}
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
        <GraphiQL.Toolbar>
          {({ prettify, merge, copy }) => (
            <>
              {prettify}
              {merge}
              {copy}
              <ShareButtons />
            </>
          )}
        </GraphiQL.Toolbar>
        <GraphiQL.Footer>
          <ResponseFooter />
          <KeyboardHint />
        </GraphiQL.Footer>
        <DocExplorerStore>{null}</DocExplorerStore>
        <EditorOptions />
        <TakeOverFromStarter startedWith={startedWith} />
        <LiveTabs />
        <StoreOnLeave />
        <FollowSystemTheme />
        <ScrollToActiveTab />
        <FocusNewTab />
        <ClearIntrospectionError />
        <FillExampleTab />
        <SelectIdentityOfTab />
        <RerunOnIdentityChange />
        <RunShortcut />
      </GraphiQL>
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
 * or is still running. Mutations are not run again, because the user must trigger each one. A live
 * operation is run again only while it is running.
 */
function RerunOnIdentityChange() {
  const { manualSelections } = useSession();
  const { run, stop } = useGraphiQLActions();
  const { fetching, tabId, queryEditor, responseEditor } = useGraphiQL((state) => ({
    fetching: state.isFetching,
    tabId: state.tabs[state.activeTabIndex]?.id ?? '',
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
  }));
  const handledSelections = useRef(manualSelections);
  useEffect(() => {
    if (handledSelections.current === manualSelections) return;
    handledSelections.current = manualSelections;
    const hasRun = fetching || Boolean(responseEditor?.getValue());
    if (!hasRun) return;
    const live = findLiveOperation(tabId);
    const isLive = live !== undefined && live.state.status !== 'ended' && !live.isHidden;
    void containsOnlyQueries(queryEditor?.getValue() ?? '').then((onlyQueries) => {
      if (!onlyQueries && !isLive) return;
      // `run` only stops the request while one is running, so `stop` comes first.
      stop();
      void run();
    });
  }, [manualSelections, fetching, tabId, queryEditor, responseEditor, run, stop]);
  return null;
}
