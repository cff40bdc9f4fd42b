import { type Erasure, mergeErasures } from '../application/ports/erasure-register.js';
import type { BackupFile } from '../infrastructure/postgres/backup/backup-file.js';
import type { StagingServer } from '../infrastructure/postgres/backup/staging.js';
import { knownMigrations } from '../infrastructure/postgres/migrate.js';
import {
  type Beginning,
  type Register,
  parseRegister,
  readRegister,
} from '../infrastructure/security/erasure-register.js';
import { HkdfMasterSeal } from '../infrastructure/security/master-seal.js';
import { existingSecret } from '../infrastructure/security/server-secret.js';
import type { RestoreGiven } from './commands/backup.js';
import { EXIT, Failure } from './commands/run.js';
import type { Config } from './config.js';
import { erasuresOf } from './erasures.js';

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

/** Everybody who was erased by now, and from when on that is known. */
export interface Erasures {
  readonly erasures: readonly Erasure[];
  readonly beginnings: readonly Beginning[];
}

/**
 * Gathers erasures from every register there is and from the living database. Refuses unless one of them goes back to the
 * backup: a register that was begun later, or elsewhere, does not know who was erased in between.
 */
export async function erasuresToRepeat(options: {
  readonly backup: BackupFile;
  readonly server: StagingServer;
  readonly given: Pick<RestoreGiven, 'erasures' | 'acceptMissingErasures'>;
  /** Files that are looked at besides. */
  readonly registers: readonly string[];
}): Promise<Erasures> {
  const { backup, server, given } = options;
  const { manifest } = backup;
  const registers: Register[] = [];
  for (const path of given.erasures ?? []) {
    const register = await readRegister(path);
    if (register === undefined) throw new Failure(`there is no register of erasures ${path}`, EXIT.usage);
    registers.push(register);
  }
  for (const path of new Set(options.registers)) {
    const register = await readRegister(path);
    if (register !== undefined) registers.push(register);
  }
  const isUsed = (await server.living()) === 'used';
  const living = isUsed ? await erasuresOf(server.livingUrl) : [];
  const beginnings = registers
    .flatMap((register) => register.beginnings)
    .filter(({ installation }) => installation === manifest.secrets.master);
  const known = mergeErasures(...registers.map(({ erasures }) => [...erasures]), living);
  const inBackup = await backup.text(backup.section('erasures'), MAX_ERASURES_BYTES);
  const own = parseRegister(inBackup, backup.path).erasures;
  const lacking = mergeErasures(known, own).length - known.length;
  const goesBack = beginnings.some(({ completeSince }) => completeSince <= manifest.createdAt);
  const isKnown = lacking === 0 && (goesBack || (isUsed && (await server.continues(manifest.heads))));
  if (!isKnown && !given.acceptMissingErasures) throw new Failure(whoWasErased(lacking), EXIT.refused);
  return { erasures: mergeErasures(known, own), beginnings };
}

function whoWasErased(lacking: number): string {
  const why =
    lacking > 0
      ? `the register of erasures is older than the backup: it lacks ${lacking} that the backup knows of`
      : 'who was erased since the backup? No register of erasures goes back to it';
  return (
    `${why}. Give the newest of the installation that was backed up with --erasures FILE (erasures.jsonl in its DATA_DIR); ` +
    '--accept-missing-erasures restores without, and brings back whoever was erased since'
  );
}
