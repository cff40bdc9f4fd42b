/** The database roles' passwords and addresses. The roles themselves come with the first migration. */
import { Client, escapeIdentifier, escapeLiteral } from 'pg';

export const ROLES = { core: 'corebook_core', api: 'corebook_api', analyst: 'corebook_analyst' } as const;
export type RoleName = keyof typeof ROLES;
export type RolePasswords = Readonly<Record<RoleName, string>>;

/** Any number, the same in every process: passwords are set one process after the other. */
const LOCK_ID = 7_301_958_204;
const INSUFFICIENT_PRIVILEGE = '42501';
const WRONG_PASSWORD: readonly string[] = ['28P01', '28000'];

/** The same server and database, as another role. */
export function roleUrl(baseUrl: string, role: string, password: string): string {
  const url = new URL(baseUrl);
  // These would win over the part before the @.
  for (const parameter of ['user', 'password']) url.searchParams.delete(parameter);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.href;
}

/**
 * Lets the three roles log in with these passwords. Roles that can already are left alone, so a start that changes
 * nothing writes nothing, and an administrator may have set the passwords of a database whose owner is not allowed to.
 */
export async function ensureRolePasswords(options: { url: string; passwords: RolePasswords }): Promise<void> {
  const { url, passwords } = options;
  const names = Object.keys(ROLES) as RoleName[];
  const able = await Promise.all(names.map((name) => canLogIn(roleUrl(url, ROLES[name], passwords[name]))));
  const missing = names.filter((_, index) => able[index] !== true);
  if (missing.length === 0) return;
  const owner = new Client({ connectionString: url });
  owner.on('error', () => undefined); // A lost connection fails the statement that runs.
  await owner.connect();
  try {
    await owner.query('BEGIN');
    await owner.query('SELECT pg_advisory_xact_lock($1)', [LOCK_ID]);
    for (const name of missing) {
      await owner.query(`ALTER ROLE ${escapeIdentifier(ROLES[name])} LOGIN PASSWORD ${escapeLiteral(passwords[name])}`);
    }
    await owner.query('COMMIT');
  } catch (error) {
    throw await clearer(error, url);
  } finally {
    await owner.end();
  }
}

async function canLogIn(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (WRONG_PASSWORD.includes((error as { code?: string }).code ?? '')) return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function clearer(error: unknown, url: string): Promise<unknown> {
  if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) return error;
  const owner = escapeIdentifier(decodeURIComponent(new URL(url).username) || 'the user of DATABASE_URL');
  const roles = Object.values(ROLES).join(', ');
  return new Error(
    `The user of DATABASE_URL may not set the passwords of ${roles}. Run as administrator: ` +
      `ALTER ROLE ${owner} CREATEROLE; GRANT ${roles} TO ${owner} WITH ADMIN OPTION;`,
    { cause: error },
  );
}
