// monaco-editor has no types for this module.
declare module 'monaco-editor/esm/vs/editor/editor.worker.js' {
  export function initialize(create: (context: never, createData: never) => unknown): void;
}
