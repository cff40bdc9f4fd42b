import type { Logger } from 'pino';
import { erasuresInLog } from '../application/people/erase-again.js';
import { type Erasure, type ErasureRegister, mergeErasures } from '../application/ports/erasure-register.js';
import type { DatabaseUrls } from '../infrastructure/postgres/database.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { FileErasureRegister, readRegister } from '../infrastructure/security/erasure-register.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { type Config, erasureRegisterOf } from './config.js';

/**
 * The register of this installation. Where it was not asked for and cannot be, because the process has no place on a disk,
 * erasures are in the log only, and that is said.
 */
export async function openErasureRegister(config: Config, logger: Logger): Promise<ErasureRegister> {
  const register = await writableRegister(config);
  if (register !== undefined) return register;
  logger.warn(
    { path: erasureRegisterOf(config) },
    'erasures are not registered outside the database: set ERASURE_REGISTER to a file on a volume (docs/reference/backup.md)',
  );
  return { record: () => Promise.resolve() };
}

/** Undefined where nothing can be written and nobody asked for it. */
export async function writableRegister(config: Config): Promise<FileErasureRegister | undefined> {
  const register = new FileErasureRegister(erasureRegisterOf(config));
  try {
    await register.probe();
    return register;
  } catch (error) {
    if (config.ERASURE_REGISTER !== undefined || config.DATABASE_URL === undefined) throw error;
    return undefined;
  }
}

/**
 * Everybody who was erased so far, by the register and the log; the register gets what it lacks, and says from when on it
 * is complete if it did not.
 */
export async function completeRegister(config: Config, urls: DatabaseUrls, installation: string): Promise<Erasure[]> {
  const completeSince = new Date(systemClock.nowMs()).toISOString();
  const known = await readRegister(erasureRegisterOf(config));
  const registered = mergeErasures(known?.erasures ?? []);
  const all = mergeErasures(registered, await erasuresOf(urls.core));
  const register = await writableRegister(config);
  for (const erasure of all.slice(registered.length)) await register?.record(erasure);
  if (known?.beginnings.some((beginning) => beginning.installation === installation) !== true)
    await register?.begin({ installation, completeSince });
  return all;
}

/** Whom the log of a database says to be erased. */
export async function erasuresOf(url: string): Promise<Erasure[]> {
  const scan = new PostgresEventScan({ url });
  try {
    return await erasuresInLog(scan);
  } finally {
    await scan.close();
  }
}
