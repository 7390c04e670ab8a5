// Measures what one hostile caller can take from a gateway at most, and prints the figures as a Markdown table.
// Usage: `main.mjs PROGRAM MONGOD [--write FILE] [--verbose] [--only TEXT]`. Exits with 1 if a figure is beyond its
// bound.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MEASURES, createContext } from './measures.mjs';
import { Gateway, Issuer, Mongod, sleep } from './processes.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'string' }, verbose: { type: 'boolean' }, only: { type: 'string', default: '' } },
});
const [program, mongodBinary] = positionals;
const BEGIN = '<!-- hostile begins: `make hostile WRITE=1` writes it -->';
const END = '<!-- hostile ends -->';

const note = (text) => options.verbose && console.error(`  ${text}`);

/** Runs one measurement. Returns a row for each figure; a figure that was not measured has a reason. */
async function measure({ seconds, run, figures }, shared) {
  const context = createContext({ ...shared, note });
  const timeout = sleep(seconds * 1000).then(() => Promise.reject(new Error(`no figure within ${seconds} s`)));
  timeout.catch(() => {});
  let values = [];
  let reason;
  try {
    values = await Promise.race([run(context), timeout]);
  } catch (error) {
    reason = error.message.split('\n')[0];
  }
  shared.mongod.pause(false);
  await context.cleanUp();
  return figures.map(({ name, unit, max }, n) => {
    const value = values[n];
    const measured = value === undefined ? reason : `${value.toLocaleString('en')} ${unit}`;
    return { name, measured, bound: `${max.toLocaleString('en')} ${unit}`, value, exceeds: !(value <= max) };
  });
}

function table(rows) {
  const cells = [['a hostile caller', 'measured', 'bound'], ...rows.map((row) => [row.name, row.measured, row.bound])];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const separator = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(cells[0]), separator, ...cells.slice(1).map(line)].join('\n');
}

/** Replaces the table between the markers of a file. */
function write(file, text) {
  const before = readFileSync(file, 'utf8');
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no markers for the table`);
  writeFileSync(file, `${before.slice(0, begin)}${BEGIN}\n\n${text}\n\n${before.slice(end)}`);
}

const issuer = await Issuer.start();
const mongod = await Mongod.start(mongodBinary);
const rows = [];
try {
  for (const measurement of MEASURES) {
    if (!measurement.figures.some(({ name }) => name.includes(options.only))) continue;
    const begin = performance.now();
    const measured = await measure(measurement, { Gateway, program, issuer, mongod });
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    for (const row of measured) {
      console.error(`${row.exceeds ? 'EXCEEDS' : 'ok     '} ${row.name}: ${row.measured} (${seconds} s)`);
    }
    rows.push(...measured);
  }
} finally {
  await mongod.stop();
  issuer.stop();
}
console.log(table(rows));
if (options.write) {
  const isComplete = options.only === '' && rows.every((row) => row.value !== undefined);
  if (isComplete) write(options.write, table(rows));
  else console.error(`${options.write} is unchanged, because some figures were not measured`);
}
process.exit(rows.some((row) => row.exceeds) ? 1 : 0);
