import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the release, as in package.json. */
export const VERSION = '0.1.0';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What decides commands, and what carries them from one process to another. */
const DECIDING = ['domain', 'application', 'infrastructure/relay'];

/** SHA-256 of the code that decides: two processes with the same one decide alike, whatever release they call themselves. */
export async function codeDigest(): Promise<string> {
  const files = await Promise.all(
    DECIDING.map(async (folder) =>
      (await readdir(join(ROOT, folder), { recursive: true })).map((name) => join(folder, name)),
    ),
  );
  const code = files
    .flat()
    .filter((name) => /\.[jt]s$/.test(name))
    .sort();
  const texts = await Promise.all(code.map((name) => readFile(join(ROOT, name))));
  const hash = createHash('sha256');
  for (const [index, text] of texts.entries()) hash.update(`${code[index]} ${text.length}\n`).update(text);
  return hash.digest('hex');
}
