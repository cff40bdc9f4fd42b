import { readFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { exportJournal } from '../../application/ledger/export-journal.js';
import { JournalError, importJournal } from '../../application/ledger/import-journal.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { COMMAND_LINE, CORRELATION, withCore } from '../core.js';
import { EXIT, Failure, print, progressBar } from './run.js';
import { requireTenant } from './tenants.js';

export async function importJournalCommand(given: { file: string; tenant: string; json: boolean }): Promise<void> {
  const text = await readFile(given.file, 'utf8').catch(() => {
    throw new Failure(`cannot read ${given.file}`, EXIT.usage);
  });
  const bar = progressBar('importing', given.json);
  await withCore(async (core) => {
    const tenantId = tenantIdOf(given.tenant);
    if ((await core.log.head(tenantId)).revision < 0) {
      const settings = {
        name: given.tenant,
        baseCurrency: 'USD',
        currencies: ['USD'],
        domains: [],
        branding: {},
        emailTemplates: {},
      };
      const outcome = await core.bus.execute({
        name: 'create-tenant',
        tenantId,
        actor: COMMAND_LINE,
        correlationId: CORRELATION,
        payload: { slug: given.tenant, settings },
      });
      if (outcome.status === 'refused') throw new Failure(outcome.refusal.message, EXIT.refused);
    }
    try {
      const result = await importJournal({
        bus: core.bus,
        tenantId,
        actor: COMMAND_LINE,
        correlationId: CORRELATION,
        text,
        progress: bar.update,
      });
      bar.stop();
      await core.caughtUp();
      const { transactions, posted, replayed, skipped, accountsOpened } = result;
      print(
        { ok: true, tenant: given.tenant, ...result },
        given.json,
        `tenant ${given.tenant}: ${transactions} transactions, ${posted} posted, ${replayed} were there already` +
          `${skipped > 0 ? `, ${skipped} without amounts skipped` : ''}, ${accountsOpened} accounts opened`,
      );
    } catch (error) {
      bar.stop();
      if (error instanceof JournalError) throw new Failure(`${given.file}: ${error.message}`, EXIT.refused);
      throw error;
    }
  });
}

export async function exportJournalCommand(given: {
  tenant: string;
  format: string;
  output?: string;
  json: boolean;
}): Promise<void> {
  if (given.format !== 'hledger') throw new Failure('the only format is hledger', EXIT.usage);
  const bar = progressBar('exporting', given.json);
  await withCore(async (core) => {
    const tenantId = await requireTenant(core, given.tenant);
    const out = given.output === undefined ? process.stdout : createWriteStream(given.output, { mode: 0o600 });
    let bytes = 0;
    for await (const piece of exportJournal({ log: core.log, tenantId, progress: bar.update })) {
      bytes += Buffer.byteLength(piece);
      if (!out.write(piece)) await once(out, 'drain');
    }
    bar.stop();
    if (given.output !== undefined) {
      out.end();
      await once(out, 'finish');
      print(
        { ok: true, tenant: given.tenant, output: given.output, bytes },
        given.json,
        `${given.output}: ${bytes} bytes`,
      );
    }
  });
}
