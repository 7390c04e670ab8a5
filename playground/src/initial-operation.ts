// Determines the operation that the page shows first. It is the operation of a link, else the one that was
// edited last, else the first example.
import { defaultExamples } from './examples';
import { readLink } from './link';
import { getSession } from './session';
import { loadItem, saveItem, storage } from './storage';

export interface Operation {
  query: string;
  /** JSON text. */
  variables: string;
  /** The operation that a link selects. Null if the document decides. */
  operationName: string | null;
}

const QUERY_KEY = 'graphiql:query';
const VARIABLES_KEY = 'graphiql:variables';
const TABS_KEY = 'graphiql:tabState';

let fromLink = false;

export function initialOperation(): Operation {
  const link = readLink(location.search);
  if (link) {
    fromLink = true;
    // A reload keeps the tab and must not add another one.
    history.replaceState(null, '', location.pathname);
    return link;
  }
  const tab = loadActiveTab();
  const [example] = defaultExamples(getSession().devMode);
  return {
    query: loadItem(QUERY_KEY) ?? tab?.query ?? example?.query ?? '',
    variables: loadItem(VARIABLES_KEY) ?? tab?.variables ?? '',
    operationName: null,
  };
}

interface Tab {
  query: string | null;
  variables: string | null;
}

interface StoredTabs {
  tabs: Tab[];
  activeTabIndex: number;
}

function loadTabs(): StoredTabs | null {
  try {
    const stored = JSON.parse(loadItem(TABS_KEY) ?? 'null') as StoredTabs | null;
    return stored && Array.isArray(stored.tabs) && stored.tabs.every(isTab) ? stored : null;
  } catch {
    return null;
  }
}

const isTextOrNull = (value: unknown) => value === null || typeof value === 'string';

const isTab = (tab: Tab | null) => isTextOrNull(tab?.query) && isTextOrNull(tab?.variables);

function loadActiveTab() {
  const stored = loadTabs();
  return stored?.tabs[stored.activeTabIndex];
}

/**
 * Stores an operation where GraphiQL looks for it. The operation of a link gets a tab of its own. An
 * operation that was edited in the form replaces the one in its tab.
 */
export function saveOperation({ query, variables }: Operation) {
  const stored = loadTabs();
  const active = stored?.tabs[stored.activeTabIndex];
  if (stored && active && !fromLink) {
    Object.assign(active, { query, variables });
    saveItem(TABS_KEY, JSON.stringify(stored));
  }
  saveItem(QUERY_KEY, query);
  saveItem(VARIABLES_KEY, variables);
}

/** Stores all tabs as GraphiQL does, with this text in the active one. Responses are not stored. */
export function saveTabs(tabs: object[], activeTabIndex: number, text: { query: string; variables: string }) {
  const stored = tabs.map((tab, index) => ({ ...tab, ...(index === activeTabIndex && text), response: null }));
  storage.setItem(TABS_KEY, JSON.stringify({ tabs: stored, activeTabIndex }));
  saveItem(QUERY_KEY, text.query);
  saveItem(VARIABLES_KEY, text.variables);
}

/** Returns the tabs of a page that has stored none: the examples, the first one with the user's edits. */
export function defaultTabs(devMode: boolean, { query, variables }: Operation): Tab[] {
  const examples = defaultExamples(devMode).map((example) => ({ query: example.query, variables: '' }));
  return [{ query, variables }, ...(fromLink ? examples : examples.slice(1))];
}
