import { Command, CommanderError } from 'commander';
import { ConfigError } from './config.js';
import type { restoreBackupCommand } from './commands/backup.js';
import { EXIT, Failure, print } from './commands/run.js';
import { endWhenDone } from './end.js';
import { VERSION } from './version.js';

/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 the audit found something.
 * Each command loads its own code when it is called: all of it is 1,500 files, most of a second.
 */
const program = new Command('corebook')
  .description('Event-sourced double-entry core: start the server, keep the books, prove them.')
  .version(VERSION)
  .option('--json', 'one JSON document on standard output instead of text')
  .showHelpAfterError()
  .exitOverride();

const options = (): { json: boolean } => ({ json: program.opts<{ json?: boolean }>().json === true });
/** `--json` may also stand after the command. */
const leaf = (command: Command): Command => command.option('--json', 'one JSON document on standard output');
const json = (command: { json?: boolean }): boolean => command.json === true || options().json;

leaf(program.command('start').description('serve until stopped (HOST, PORT, DATA_DIR … from the environment)')).action(
  async (given: { json?: boolean }) => {
    const { start } = await import('./start.js');
    await start({ json: json(given) });
  },
);

const tenant = program.command('tenant').description('tenants');
leaf(
  tenant
    .command('create <slug>')
    .description('open a tenant with its chart of system accounts')
    .option('--name <name>', 'display name (default: the slug)')
    .option('--base-currency <code>', 'ISO 4217 code', 'USD')
    .option('--currency <code...>', 'further currencies', []),
).action(async (slug: string, given: { name?: string; baseCurrency: string; currency: string[]; json?: boolean }) => {
  const { createTenantCommand } = await import('./commands/tenants.js');
  await createTenantCommand({ slug, ...given, json: json(given) });
});

const token = program.command('token').description('API tokens');
leaf(
  token
    .command('create')
    .description('issue an API token; it is shown once')
    .requiredOption('--tenant <slug>', 'tenant')
    .requiredOption('--role <role...>', 'MANAGER AGENT CASHIER CUSTOMER PARTNER AUDITOR ANALYST')
    .option('--name <name>', 'what it is for', 'command line')
    .option('--customer <id>', 'for CUSTOMER: whose accounts (UUID)')
    .option('--expiry <life>', 'H24, M1, M3, M6 or Y1', 'M3'),
).action(
  async (given: {
    tenant: string;
    role: string[];
    name: string;
    customer?: string;
    expiry: string;
    json?: boolean;
  }) => {
    const { createTokenCommand } = await import('./commands/tenants.js');
    await createTokenCommand({ ...given, json: json(given) });
  },
);

leaf(
  program
    .command('import-journal <file>')
    .description(
      'post every transaction of a CSV file as `hledger print -O csv` writes it; a second run changes nothing',
    )
    .option('--tenant <slug>', 'tenant, made if it does not exist', 'books'),
).action(async (file: string, given: { tenant: string; json?: boolean }) => {
  const { importJournalCommand } = await import('./commands/journal.js');
  await importJournalCommand({ file, ...given, json: json(given) });
});

leaf(
  program
    .command('export-journal')
    .description('write a tenant’s journal')
    .option('--tenant <slug>', 'tenant', 'books')
    .option('--format <format>', 'hledger', 'hledger')
    .option('--output <file>', 'file (default: standard output)'),
).action(async (given: { tenant: string; format: string; output?: string; json?: boolean }) => {
  const { exportJournalCommand } = await import('./commands/journal.js');
  await exportJournalCommand({ ...given, json: json(given) });
});

const audit = program.command('audit').description('verify and replay the event history');
leaf(
  audit
    .command('verify')
    .description('hash chain, invariants, trial balance, and read models against a fresh fold')
    .option('--tenant <slug>', 'one tenant (default: all)'),
).action(async (given: { tenant?: string; json?: boolean }) => {
  const { auditVerify } = await import('./commands/audit.js');
  await auditVerify({ ...given, json: json(given) });
});
leaf(
  audit
    .command('replay')
    .description('the books as they were')
    .option('--tenant <slug>', 'tenant', 'books')
    .requiredOption('--until <revision|time>', 'a revision, or an ISO 8601 time'),
).action(async (given: { tenant: string; until: string; json?: boolean }) => {
  const { auditReplay } = await import('./commands/audit.js');
  await auditReplay({ ...given, json: json(given) });
});

const log = program.command('log').description('the event log');
leaf(
  log
    .command('copy')
    .description('move the log between PostgreSQL and EventStoreDB; run again, it goes on where it was interrupted')
    .requiredOption('--from <home>', 'postgres or esdb')
    .requiredOption('--to <home>', 'esdb or postgres')
    .option('--url <url>', 'esdb://… (default: LOG_URL)')
    .option('--force', 'also while processes of Corebook have the database open', false)
    .option('--repair', 'with --to esdb: what the event store has lost is written again from its copy', false),
).action(async (given: { from: string; to: string; url?: string; force: boolean; repair: boolean; json?: boolean }) => {
  const { copyLogCommand } = await import('./commands/log.js');
  await copyLogCommand({ ...given, json: json(given) });
});

const backup = program.command('backup').description('backup and restore (docs/reference/backup.md)');
leaf(
  backup
    .command('create <file>')
    .description('write the database of this moment to a file, or into a directory; a running server goes on')
    .option('--no-read-models', 'smaller: they are built from the log when it is restored'),
).action(async (file: string, given: { readModels: boolean; json?: boolean }) => {
  const { createBackupCommand } = await import('./commands/backup.js');
  await createBackupCommand({ file, ...given, json: json(given) });
});
leaf(backup.command('verify <file>').description('read a backup from end to end and say what it is')).action(
  async (file: string, given: { json?: boolean }) => {
    const { verifyBackupCommand } = await import('./commands/backup.js');
    await verifyBackupCommand({ file, json: json(given) });
  },
);
leaf(
  backup
    .command('restore <file>')
    .description('restore, prove and put in place; nothing is changed unless all of it succeeds')
    .option('--into <target>', 'a DATA_DIR or postgres://… (default: what the environment says)')
    .option('--erasures <file...>', 'newest registers of erasures (default: erasures.jsonl in DATA_DIR)')
    .option('--accept-missing-erasures', 'restore without: whoever was erased since comes back', false)
    .option('--accept-other-secrets', 'restore what can be read with the secrets that are there', false)
    .option('--replace', 'also in the place of a database that has events, which is kept under another name', false)
    .option('--no-read-models', 'build them from the log even if the backup has them')
    .option('--log-home <home>', 'postgres: the event store is lost, its copy in the backup becomes the log'),
).action(
  async (
    file: string,
    given: Omit<Parameters<typeof restoreBackupCommand>[0], 'file' | 'json'> & { json?: boolean },
  ) => {
    const { restoreBackupCommand } = await import('./commands/backup.js');
    await restoreBackupCommand({ ...given, file, json: json(given) });
  },
);
leaf(
  backup
    .command('erase-again')
    .description('after a restore by other means (pg_restore, a point in time): erase again who was erased since')
    .option('--erasures <file...>', 'newest registers of erasures (default: erasures.jsonl in DATA_DIR)'),
).action(async (given: { erasures?: string[]; json?: boolean }) => {
  const { eraseAgainCommand } = await import('./commands/erase-again.js');
  await eraseAgainCommand({ ...given, json: json(given) });
});
leaf(
  backup
    .command('clean')
    .description('drop the databases that restores replaced or left unfinished')
    .option('--into <target>', 'a DATA_DIR or postgres://…'),
).action(async (given: { into?: string; json?: boolean }) => {
  const { cleanBackupCommand } = await import('./commands/backup.js');
  await cleanBackupCommand({ ...given, json: json(given) });
});

const projection = program.command('projection').description('read models');
leaf(
  projection.command('rebuild <name>').description('build a read model anew beside the live one, then switch'),
).action(async (name: string, given: { json?: boolean }) => {
  const { rebuildProjectionCommand } = await import('./commands/projections.js');
  await rebuildProjectionCommand({ name, json: json(given) });
});

endWhenDone();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else {
    const failure = error instanceof Failure ? error : undefined;
    const known = failure !== undefined || error instanceof ConfigError;
    const message = error instanceof Error ? error.message : String(error);
    if (process.argv.includes('--json')) print({ ok: false, error: message }, true);
    else process.stderr.write(`corebook: ${known ? message : ((error as Error).stack ?? message)}\n`);
    process.exitCode = failure?.exitCode ?? (error instanceof ConfigError ? EXIT.usage : EXIT.failed);
  }
}
