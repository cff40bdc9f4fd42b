import { eraseAgain } from '../../application/people/erase-again.js';
import { type Erasure, mergeErasures } from '../../application/ports/erasure-register.js';
import { PostgresOutbox } from '../../infrastructure/postgres/outbox.js';
import { readRegister } from '../../infrastructure/security/erasure-register.js';
import { erasureRegisterOf } from '../config.js';
import { COMMAND_LINE, CORRELATION, withCore } from '../core.js';
import { erasuresOf } from '../erasures.js';
import { rebuildPeople } from '../restored-read-models.js';
import { EXIT, Failure, print, progressBar } from './run.js';

/**
 * For a database that was brought back by other means than `backup restore` (pg_restore, a point in time, a disk image): erases
 * again whom the registers and its log name, before it serves.
 */
export async function eraseAgainCommand(given: { erasures?: readonly string[]; json: boolean }): Promise<void> {
  const bar = progressBar('read models', given.json);
  await withCore(async (core) => {
    const { urls, log, identity, clock, ids, pool } = core;
    const known: Erasure[] = [];
    for (const path of given.erasures ?? [erasureRegisterOf(core.config)]) {
      const register = await readRegister(path);
      if (register === undefined) throw new Failure(`there is no register of erasures ${path}`, EXIT.usage);
      known.push(...register.erasures);
    }
    const inLog = await erasuresOf(urls.core);
    const report = await eraseAgain(
      { ...identity, bus: core.bus, outbox: new PostgresOutbox(pool, clock, ids) },
      mergeErasures(known, inLog),
      { inLog, mayAppend: true, actor: COMMAND_LINE, correlationId: CORRELATION },
    );
    if (report.unstated > 0) await rebuildPeople({ urls, log, vault: identity.vault, progress: bar.update });
    bar.stop();
    await core.caughtUp();
    print(
      { ok: true, ...report },
      given.json,
      `${report.known} were erased in the log, ${report.stated} are erased again, ${report.unstated} are not known to the log and forgotten`,
    );
  });
}
