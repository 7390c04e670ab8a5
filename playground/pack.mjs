// Packs what Vite has built for the program: `pack.mjs BUILT` writes dist/ and the table of its files,
// `pack.mjs BUILT --check` compares, byte for byte, and says what differs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const TABLE = join(HERE, '../src/http/playground/files.rs');
/** All files together, in bytes as they are embedded. */
const MOST = 1_500_000;

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** The pages lie beside a folder of files with hashes in their names; here all are in one folder. */
const packedName = (name) => `${name.replace('playground/', '')}.br`;

const compress = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

/** The table in Rust, formatted as rustfmt has it. */
function table(built) {
  const row = (name) => `    file!("${packedName(name).slice(0, -3)}"),\n`;
  const assets = built.filter((name) => name.startsWith('playground/')).map(row);
  return `//! Written by \`make playground\`: the files of playground/dist.

use super::file::{File, file};

/// The page of \`dev\`, which has demo identities.
pub(super) static DEV: File = file!("dev.html");
/// The page of \`serve\`.
pub(super) static SERVE: File = file!("serve.html");
/// The licences of what others wrote.
pub(super) static LICENSES: File = file!("licenses.md");
/// What the pages bring in. A name has a hash of what is in the file.
pub(super) static ASSETS: [File; ${assets.length}] = [
${assets.join('')}];
`;
}

function write(folder, built) {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST);
  let size = 0;
  for (const name of built) {
    const packed = compress(readFileSync(join(folder, name)));
    size += packed.length;
    writeFileSync(join(DIST, packedName(name)), packed);
  }
  writeFileSync(TABLE, table(built));
  console.log(`${built.length} files, ${size} bytes`);
}

/** What the committed files are, once they are not compressed: how well they are is not compared. */
function differences(folder, built) {
  const found = [];
  const packed = existsSync(DIST) ? files(DIST) : [];
  const wanted = built.map(packedName);
  for (const name of packed) if (!wanted.includes(name)) found.push(`dist/${name} is not built`);
  let size = 0;
  for (const name of built) {
    const at = packedName(name);
    if (!packed.includes(at)) {
      found.push(`dist/${at} is missing`);
      continue;
    }
    const bytes = readFileSync(join(DIST, at));
    size += bytes.length;
    const same = brotliDecompressSync(bytes).equals(readFileSync(join(folder, name)));
    if (!same) found.push(`dist/${at} holds something else`);
  }
  if (size > MOST) found.push(`dist has ${size} bytes, more than ${MOST}`);
  if (readFileSync(TABLE, 'utf8') !== table(built)) found.push('src/http/playground/files.rs is another');
  return found;
}

const [folder, mode] = process.argv.slice(2);
const built = files(folder);
if (mode === '--check') {
  const found = differences(folder, built);
  for (const line of found) console.error(`playground: ${line}`);
  if (found.length > 0) console.error('The playground is not what its sources build: run `make playground`.');
  process.exitCode = found.length > 0 ? 1 : 0;
} else {
  write(folder, built);
}
