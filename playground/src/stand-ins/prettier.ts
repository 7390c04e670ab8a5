// GraphiQL formats JSON with prettier's parser of JavaScript, which is larger than the editor's
// graphql support as a whole. What reads the JSON anyway formats it too.
import { applyEdits, format as edits } from 'jsonc-parser';
import { format as pretty } from 'prettier/standalone';
import type { Options } from 'prettier';

export async function format(text: string, options: Options): Promise<string> {
  if (options.parser !== 'jsonc') return pretty(text, options);
  const settings = { tabSize: 2, insertSpaces: true, eol: '\n' };
  return applyEdits(text, edits(text, undefined, settings));
}
