import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A secret of the installation (under which API tokens are hashed, keys and people are sealed): given by configuration,
 * else made once and kept under this name in the data directory (mode 0600). Two processes that start at once end with the
 * same one: the file appears by a link.
 */
export async function serverSecret(
  dataDir: string,
  name: 'token-secret' | 'master-secret',
  configured: string | undefined,
): Promise<string> {
  if (configured !== undefined) return configured;
  const path = join(dataDir, name);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  await mkdir(dataDir, { recursive: true });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
}
