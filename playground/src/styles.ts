// Imports the style sheets one by one. GraphiQL's combined sheet also contains the editor's styles and
// the fonts, inlined as text.
import './fonts.css';
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import './style.css';
