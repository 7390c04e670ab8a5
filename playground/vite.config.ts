import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const resolvePath = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Third-party modules that the build replaces. Their dependencies would be a third of the bundle.
const SHIMS: [module: RegExp, file: string][] = [
  [/^monaco-editor\/esm\/vs\/editor\/edcore\.main(\.js)?$/, './src/monaco/editor.ts'],
  [/\/(diffEditorWidget|multiDiffEditorWidget|linesDiffComputers)(\.js)?$/, './src/shims/diff.ts'],
  [/^framer-motion$/, './src/shims/framer-motion.tsx'],
  // The documentation pane needs a quarter of GraphiQL's code, and is closed at the start.
  [/^\.\/components\/doc-explorer(\.js)?$/, './src/shims/doc-explorer.tsx'],
  [/^prettier\/standalone$/, './src/shims/prettier.ts'],
  [/^prettier\/(plugins\/estree|parser-babel)$/, './src/shims/empty-prettier-plugin.ts'],
];
// Workers never format text, because the editor has no action that asks for it.
const WORKER_SHIMS: [module: RegExp, file: string][] = [
  [/\/linesDiffComputers(\.js)?$/, './src/shims/diff.ts'],
  [/^prettier\//, './src/shims/empty-prettier-plugin.ts'],
];

const shimPlugin = (shims: [RegExp, string][]): Plugin => ({
  name: 'shims',
  enforce: 'pre',
  resolveId(source, importer) {
    // A shim may import the module that it replaces.
    if (importer?.includes('/src/shims/')) return null;
    // Both names mean the same plugin. Resolve them to one module, so that it is bundled once.
    if (source === 'prettier/parser-graphql' && shims === SHIMS) {
      return this.resolve('prettier/plugins/graphql', importer);
    }
    const shim = shims.find(([module]) => module.test(source));
    return shim ? resolvePath(shim[1]) : null;
  },
});

/** GraphiQL derives the title of an icon from the name of its function, which the build shortens. */
const iconTitles: Plugin = {
  name: 'icon-titles',
  transform(code, id) {
    if (!id.endsWith('/@graphiql/react/dist/icons/index.js')) return null;
    const named = code.replace(/generateIcon\((Svg\w+)\)/g, 'generateIcon(Object.assign($1, { title: "$1" }))');
    return { code: named.replaceAll('RawComponent.name', 'RawComponent.title'), map: null };
  },
};

const outputNames = { entryFileNames: 'playground/[name]-[hash].js', chunkFileNames: 'playground/[name]-[hash].js' };

/** Packages that Vite's licence list omits, because only style sheets or workers use them. */
const ADDITIONAL_LICENSES = ['@fontsource/fira-code', '@fontsource/roboto', 'picomatch-browser'];

const additionalLicenses: Plugin = {
  name: 'additional-licenses',
  writeBundle({ dir }) {
    for (const name of ADDITIONAL_LICENSES) {
      const read = (file: string) => readFileSync(resolvePath(`./node_modules/${name}/${file}`), 'utf8');
      const { version, license } = JSON.parse(read('package.json'));
      const text = `\n## ${name} - ${version} (${license})\n\n${read('LICENSE').trim()}\n`;
      appendFileSync(join(dir ?? '', 'licenses.md'), text);
    }
  },
};

export default defineConfig({
  // The page may be served below any path, so its URLs are relative.
  base: './',
  publicDir: false,
  plugins: [shimPlugin(SHIMS), iconTitles, additionalLicenses],
  worker: {
    format: 'es',
    plugins: () => [shimPlugin(WORKER_SHIMS)],
    rolldownOptions: { output: outputNames },
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
      input: { dev: resolvePath('./dev.html'), serve: resolvePath('./serve.html') },
      // Ignores directives such as 'use client' in libraries. They have no effect in a browser.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
});
