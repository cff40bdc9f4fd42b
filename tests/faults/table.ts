/** docs/reference/faults.md: its table is what the last full run saw. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Result } from './scenario.js';

const FILE = 'docs/reference/faults.md';
const BEGIN = '<!-- written by npm run test:faults -- --write -->';
const END = '<!-- end -->';

export async function writeTable(results: readonly Result[]): Promise<void> {
  const text = await readFile(FILE, 'utf8');
  const [head] = text.split(BEGIN);
  const tail = text.split(END)[1];
  if (head === undefined || tail === undefined) throw new Error(`${FILE} has no place for the table`);
  await writeFile(FILE, `${head}${BEGIN}\n\n${tableOf(results)}\n\n${END}${tail}`);
}

function tableOf(results: readonly Result[]): string {
  const rows = results.map((result) => [
    `\`${result.name}\``,
    `${result.fault}${result.lastsMs >= 1_000 ? `, for ${seconds(result.lastsMs)}` : ''}`,
    seen(result),
    result.noticedMs === undefined
      ? '200 throughout'
      : `not 200 after ${seconds(result.noticedMs)}${result.failing.length === 0 ? '' : `: ${named(result.failing)}`}`,
    `${seconds(result.recoveredMs)}${result.note === '' ? '' : `; ${result.note}`}`,
  ]);
  const all = [
    ['scenario', 'fault', 'callers saw', '`/ready`', 'well again after'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function seen({ commands, lookUps, slowestMs }: Result): string {
  const labels = new Set(
    [...Object.keys(commands), ...Object.keys(lookUps)].map((label) => label.replace(' SERVICE_UNAVAILABLE', '')),
  );
  return `${[...labels].sort().join(', ')}; slowest command ${seconds(slowestMs)}`;
}

/** Read models are many. */
function named(failing: readonly string[]): string {
  const kinds = failing.map((name) => name.replace(/^(projection|reactor) .+/, '$1s'));
  return failing.length === 1 ? String(failing[0]) : [...new Set(kinds)].join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
