import './monaco/workers';
import './styles';
import { createRoot } from 'react-dom/client';
import { App } from './app';

// A pane takes a third of the window where nobody has drawn it to another width. A quarter will do.
const PANE = 'graphiql:docExplorerFlex';
try {
  if (localStorage.getItem(PANE) === null) localStorage.setItem(PANE, '0.3');
} catch {
  // Storage is shut: then it is a third.
}

const root = document.getElementById('app');
if (root) createRoot(root).render(<App />);
