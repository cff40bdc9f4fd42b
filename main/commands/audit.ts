import { auditAll } from '../../application/audit/audit-all.js';
import { booksAt } from '../../application/audit/replay.js';
import { formatAmount } from '../../domain/shared/money.js';
import { PostgresBookQueries } from '../../infrastructure/postgres/book-queries.js';
import { withCore } from '../core.js';
import { EXIT, Failure, print, progressBar } from './run.js';
import { requireTenant } from './tenants.js';

export async function auditVerify(given: { tenant?: string; json: boolean }): Promise<void> {
  const bar = progressBar('verifying', given.json);
  const report = await withCore(async (core) => {
    const { log, readModels, clock, pool } = core;
    const book = new PostgresBookQueries(pool);
    const tenantIds = given.tenant === undefined ? undefined : [await requireTenant(core, given.tenant)];
    return auditAll(
      { log, readModels, book, census: book, clock },
      { ...(tenantIds === undefined ? {} : { tenantIds }), onProgress: ({ done, of }) => bar.update(done, of) },
    );
  });
  bar.stop();
  const lines = report.tenants.map(({ log, readModels }) => {
    if (!log.ok)
      return `tenant ${log.tenantId}: BROKEN at revision ${log.firstBreak?.revision}: ${log.firstBreak?.reason}`;
    const head = `tenant ${log.tenantId}: ${log.eventsChecked} events, chain unbroken to ${log.head.slice(0, 16)}…`;
    if (readModels === undefined) return head;
    if (readModels.behind) return `${head}; the read models did not catch up, so they were not compared`;
    const { differences, unbalanced, accountsCompared } = readModels;
    const found = [
      ...differences.map((difference) => `  differs: ${JSON.stringify(difference)}`),
      ...unbalanced.map(({ currency, balance }) => `  ${currency} sums to ${balance}, not to zero`),
    ];
    return [`${head}, ${accountsCompared} accounts equal a fresh fold`, ...found].join('\n');
  });
  if (report.positions !== null) lines.push(`positions: ${report.positions}`);
  lines.push(report.ok ? `ok: ${report.events} events` : 'NOT ok');
  print({ ...report }, given.json, lines.join('\n'));
  if (!report.ok) process.exitCode = EXIT.findings;
}

export async function auditReplay(given: { tenant: string; until: string; json: boolean }): Promise<void> {
  const revision = /^\d{1,15}$/.test(given.until) ? Number(given.until) : undefined;
  const at = revision === undefined ? instant(given.until) : undefined;
  const bar = progressBar('replaying', given.json);
  const books = await withCore(async (core) => {
    const tenantId = await requireTenant(core, given.tenant);
    const until = { ...(revision === undefined ? {} : { revision }), ...(at === undefined ? {} : { at }) };
    return booksAt(core.log, tenantId, until, bar.update);
  });
  bar.stop();
  const rows = books.rows.map((row) => ({
    accountId: row.accountId,
    number: row.number,
    name: row.name,
    kind: row.kind,
    currency: row.currency,
    debits: formatAmount(row.debits, row.currency),
    credits: formatAmount(row.credits, row.currency),
    balance: formatAmount(row.balance, row.currency),
  }));
  const totals = books.totals.map(({ currency, balance }) => ({ currency, balance: formatAmount(balance, currency) }));
  const moved = rows.filter((_, i) => books.rows[i]?.debits !== 0n || books.rows[i]?.credits !== 0n);
  const text = [
    `tenant ${given.tenant} after revision ${books.revision} (${books.recordedAt})`,
    ...moved.map((row) => `${row.balance.padStart(20)} ${row.currency}  ${row.number}  ${row.name}`),
    ...totals.map(({ currency, balance }) => `${balance.padStart(20)} ${currency}  sum of all accounts`),
  ];
  print(
    { ok: true, tenant: given.tenant, revision: books.revision, recordedAt: books.recordedAt, rows, totals },
    given.json,
    text.join('\n'),
  );
}

function instant(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Failure(`--until is a revision or an ISO 8601 time, not ${text}`, EXIT.usage);
  // A day means to its end.
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : new Date(ms).toISOString();
}
