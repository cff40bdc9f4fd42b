import { type Erasure, keyOfErasure, mergeErasures } from '../application/ports/erasure-register.js';
import { erasuresInLog } from '../application/people/erase-again.js';
import type { BackupFile } from '../infrastructure/postgres/backup/backup-file.js';
import type { StagingServer } from '../infrastructure/postgres/backup/staging.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { knownMigrations } from '../infrastructure/postgres/migrate.js';
import { parseErasures, readErasures } from '../infrastructure/security/erasure-register.js';
import { HkdfMasterSeal } from '../infrastructure/security/master-seal.js';
import { existingSecret } from '../infrastructure/security/server-secret.js';
import type { RestoreGiven } from './commands/backup.js';
import { EXIT, Failure } from './commands/run.js';
import type { Config } from './config.js';

const MAX_ERASURES_BYTES = 256 * 1024 * 1024;

/** Keyed digests of the two secrets, by which they are recognised; undefined when one is not there. None is made. */
export async function secretDigests(config: Config): Promise<{ master: string; token: string } | undefined> {
  const master = await existingSecret(config.DATA_DIR, 'master-secret', config.MASTER_SECRET);
  const token = await existingSecret(config.DATA_DIR, 'token-secret', config.TOKEN_SECRET);
  if (master === undefined || token === undefined) return undefined;
  const of = (secret: string): string => new HkdfMasterSeal(Buffer.from(secret, 'utf8')).digest('backup', 'recognised');
  return { master: of(master), token: of(token) };
}

/** Refuses a backup that this code or this installation could not use. */
export async function checkFits(
  { manifest }: Pick<BackupFile, 'manifest'>,
  config: Config,
  { acceptOtherSecrets }: Pick<RestoreGiven, 'acceptOtherSecrets'>,
): Promise<void> {
  const known = knownMigrations();
  const foreign = manifest.migrations.find((name, index) => known[index] !== name);
  if (foreign !== undefined)
    throw new Failure(`the backup is of a newer Corebook: migration ${foreign} is not known here`, EXIT.refused);
  if (acceptOtherSecrets) return;
  const secrets = await secretDigests(config);
  const wrong = (['master', 'token'] as const).filter((name) => secrets?.[name] !== manifest.secrets[name]);
  if (wrong.length === 0) return;
  const names = wrong
    .map((name) => `${name.toUpperCase()}_SECRET (or ${config.DATA_DIR}/${name}-secret)`)
    .join(' and ');
  throw new Failure(
    `${names}: ${secrets === undefined ? 'missing' : 'not the one of the backup'}. Put the right one in place first; ` +
      'without them people, keys and tokens of the backup cannot be opened (--accept-other-secrets restores the rest)',
    EXIT.refused,
  );
}

/** Everybody who was erased by now, from every register there is. Refuses when none can be had, or one that is too old. */
export async function erasuresToRepeat(options: {
  readonly backup: BackupFile;
  readonly server: StagingServer;
  readonly given: Pick<RestoreGiven, 'erasures' | 'acceptMissingErasures'>;
  /** Files that are looked at where none is given. */
  readonly registers: readonly string[];
}): Promise<Erasure[]> {
  const { backup, server, given } = options;
  const lists: Erasure[][] = [];
  for (const path of given.erasures ?? []) {
    const list = await readErasures(path);
    if (list === undefined) throw new Failure(`there is no register of erasures ${path}`, EXIT.usage);
    lists.push(list);
  }
  for (const path of new Set(options.registers)) {
    const list = await readErasures(path);
    if (list !== undefined) lists.push(list);
  }
  const living = (await server.living()) === 'used' ? await erasuresOf(server) : undefined;
  if (lists.length === 0 && living === undefined && !given.acceptMissingErasures)
    throw new Failure(
      'who was erased since the backup? Give the newest register with --erasures FILE (erasures.jsonl of the DATA_DIR that ' +
        'was backed up); --accept-missing-erasures restores without one, and brings back whoever was erased since',
      EXIT.refused,
    );
  const known = mergeErasures(...lists, living ?? []);
  const keys = new Set(known.map(keyOfErasure));
  const own = parseErasures(await backup.text(backup.section('erasures'), MAX_ERASURES_BYTES), backup.path);
  const lacking = own.filter((erasure) => !keys.has(keyOfErasure(erasure)));
  if (lacking.length > 0 && !given.acceptMissingErasures)
    throw new Failure(
      `the register of erasures is older than the backup: it lacks ${lacking.length} that the backup knows of. Find the ` +
        'newest one (--accept-missing-erasures goes on without it, and brings back whoever was erased since)',
      EXIT.refused,
    );
  return mergeErasures(known, own);
}

async function erasuresOf(server: StagingServer): Promise<Erasure[]> {
  const scan = new PostgresEventScan({ url: server.livingUrl });
  try {
    return await erasuresInLog(scan);
  } finally {
    await scan.close();
  }
}
