import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type SecretName = 'token-secret' | 'master-secret';

/** The secret if there is one; none is made. */
export async function existingSecret(
  dataDir: string,
  name: SecretName,
  configured: string | undefined,
): Promise<string | undefined> {
  if (configured !== undefined) return configured;
  const text = await readFile(join(dataDir, name), 'utf8').catch(() => undefined);
  return text?.trim();
}

/**
 * A secret of the installation (under which API tokens are hashed, keys and people are sealed): given by configuration,
 * else made once and kept under this name in the data directory (mode 0600). Two processes that start at once end with the
 * same one: the file appears by a link.
 */
export async function serverSecret(dataDir: string, name: SecretName, configured: string | undefined): Promise<string> {
  const known = await existingSecret(dataDir, name, configured);
  if (known !== undefined) return known;
  const path = join(dataDir, name);
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
