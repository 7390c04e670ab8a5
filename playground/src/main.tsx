import './monaco/workers';
import './styles';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { loadItem, saveItem } from './storage';

// GraphiQL gives a pane a third of the window unless the user has resized it. A quarter is enough.
const PANE_SIZE_KEY = 'graphiql:docExplorerFlex';
if (loadItem(PANE_SIZE_KEY) === null) saveItem(PANE_SIZE_KEY, '0.3');

const root = document.getElementById('app');
if (root) createRoot(root).render(<App />);
