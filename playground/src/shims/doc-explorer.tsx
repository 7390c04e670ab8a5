// Replaces the content of the documentation pane by one that is loaded on demand.
import { lazyPane } from '../lazy-pane';

export const DocExplorer = lazyPane(async () => {
  const path = import('../../node_modules/@graphiql/plugin-doc-explorer/dist/components/doc-explorer.js');
  return (await path).DocExplorer;
});
