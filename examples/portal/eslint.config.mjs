import { globalIgnores } from 'eslint/config'
import typescript from 'typescript-eslint'
import vue from 'eslint-plugin-vue'

export default typescript.config(
  globalIgnores(['.nuxt/', '.output/', '.codegen/', 'node_modules/', 'server/gql/']),
  ...typescript.configs.strict,
  ...typescript.configs.stylistic,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: typescript.parser } },
  },
  {
    rules: {
      // The compiler knows the auto-imports of Nuxt and reports undefined names.
      'no-undef': 'off',
      'eqeqeq': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Every word is in `shared/i18n`. This rule also checks `title`, `alt`, `placeholder` and the `aria-` attributes.
      'vue/no-bare-strings-in-template': ['error', { allowlist: ['.', '·', ':', '(', ')', '→', '←', '▾'] }],
      'vue/multi-word-component-names': ['error', { ignores: ['default', 'error', 'app', 'index'] }],
      'vue/no-v-html': 'error',
      // The layout of attributes is not a matter of correctness.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'never' } }],
      // Optional properties of components are `undefined` unless stated otherwise.
      'vue/require-default-prop': 'off',
    },
  },
  { files: ['app/pages/**', 'app/layouts/**'], rules: { 'vue/multi-word-component-names': 'off' } },
)
