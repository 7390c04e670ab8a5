import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Modules of others that ours stand in for: what they bring along is a third of the whole.
const STAND_INS: [name: RegExp, file: string][] = [
  [/^monaco-editor\/esm\/vs\/editor\/edcore\.main(\.js)?$/, './src/monaco/editor.ts'],
  [/^prettier\/standalone$/, './src/stand-ins/prettier.ts'],
  [/^prettier\/(plugins\/estree|parser-babel)$/, './src/stand-ins/no-plugin.ts'],
];
// A worker formats nothing: the editor has no action for it.
const IN_WORKERS: [name: RegExp, file: string][] = [[/^prettier\//, './src/stand-ins/no-plugin.ts']];

const standIns = (names: [RegExp, string][]): Plugin => ({
  name: 'stand-ins',
  enforce: 'pre',
  resolveId(source, importer) {
    // One of ours may bring in what it stands for. The other name of a module is not a second one.
    if (importer?.includes('/src/stand-ins/')) return null;
    if (source === 'prettier/parser-graphql' && names === STAND_INS) {
      return this.resolve('prettier/plugins/graphql', importer);
    }
    const found = names.find(([name]) => name.test(source));
    return found ? here(found[1]) : null;
  },
});

const names = { entryFileNames: 'playground/[name]-[hash].js', chunkFileNames: 'playground/[name]-[hash].js' };

/** Those whose licences Vite does not find: of files in style sheets, and of what workers alone use. */
const MORE_LICENSES = ['@fontsource/fira-code', '@fontsource/roboto', 'picomatch-browser'];

const moreLicenses: Plugin = {
  name: 'more-licenses',
  writeBundle({ dir }) {
    for (const name of MORE_LICENSES) {
      const read = (file: string) => readFileSync(here(`./node_modules/${name}/${file}`), 'utf8');
      const { version, license } = JSON.parse(read('package.json'));
      const text = `\n## ${name} - ${version} (${license})\n\n${read('LICENSE').trim()}\n`;
      appendFileSync(join(dir ?? '', 'licenses.md'), text);
    }
  },
};

export default defineConfig({
  // The page may be below any path: nothing in it begins with a slash.
  base: './',
  publicDir: false,
  plugins: [standIns(STAND_INS), moreLicenses],
  worker: {
    format: 'es',
    plugins: () => [standIns(IN_WORKERS)],
    rolldownOptions: { output: names },
  },
  build: {
    target: 'es2022',
    assetsDir: 'playground',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: { dev: here('./dev.html'), serve: here('./serve.html') },
      // Of libraries, for a renderer on the server: it means nothing here.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
});
