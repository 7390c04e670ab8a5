import './monaco/workers';
import './styles';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { keep, kept } from './storage';

// A pane takes a third of the window where nobody has drawn it to another width. A quarter will do.
const PANE = 'graphiql:docExplorerFlex';
if (kept(PANE) === null) keep(PANE, '0.3');

const root = document.getElementById('app');
if (root) createRoot(root).render(<App />);
