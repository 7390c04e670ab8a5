// Provides the editor's web workers. Each is bundled as a file of the playground.
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import GraphqlWorker from './graphql.worker.ts?worker';

Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker(_id: string, label: string) {
      if (label === 'graphql') return new GraphqlWorker();
      if (label === 'json') return new JsonWorker();
      return new EditorWorker();
    },
  },
});
