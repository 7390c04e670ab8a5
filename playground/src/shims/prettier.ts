// Replaces prettier for JSON. GraphiQL formats JSON with prettier's JavaScript parser, which is larger
// than the whole GraphQL support of the editor. The bundle already contains jsonc-parser, which formats
// JSON as well.
import { applyEdits, format as formatEdits } from 'jsonc-parser';
import { format as formatWithPrettier } from 'prettier/standalone';
import type { Options } from 'prettier';

export async function format(text: string, options: Options): Promise<string> {
  if (options.parser !== 'jsonc') return formatWithPrettier(text, options);
  const settings = { tabSize: 2, insertSpaces: true, eol: '\n' };
  return applyEdits(text, formatEdits(text, undefined, settings));
}
