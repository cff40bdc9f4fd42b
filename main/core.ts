import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { TokenServices } from '../application/access/api-tokens.js';
import type { CommandBus } from '../application/commands.js';
import type { Clock, IdSource } from '../application/ports/clock.js';
import type { Leases } from '../application/ports/leases.js';
import type { EventLog } from '../application/ports/event-log.js';
import type { ReadModels } from '../application/ports/read-models.js';
import { CommandProcessor } from '../application/processor/command-processor.js';
import type { ProcessorObserver } from '../application/processor/processor-ports.js';
import type { Actor } from '../domain/shared/decider.js';
import { createLogger } from '../http/logging.js';
import { type DatabaseUrls, openDatabase } from '../infrastructure/postgres/database.js';
import { type Pool, createPool } from '../infrastructure/postgres/pool.js';
import { PostgresKeyVault } from '../infrastructure/postgres/key-vault.js';
import { PostgresTokenStore } from '../infrastructure/postgres/token-store.js';
import { PostgresLeases } from '../infrastructure/postgres/leases.js';
import { PostgresTurns } from '../infrastructure/postgres/turns.js';
import { LeasedRelay } from '../infrastructure/relay/leased-relay.js';
import { HkdfMasterSeal } from '../infrastructure/security/master-seal.js';
import { serverSecret } from '../infrastructure/security/server-secret.js';
import { HmacTokenSecrets } from '../infrastructure/security/token-secrets.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { AppendHealth } from './append-health.js';
import { type Config, readConfig } from './config.js';
import { openErasureRegister } from './erasures.js';
import { codeDigest } from './version.js';
import { openEventLog } from './event-log.js';
import { type IdentityCore, createIdentity } from './identity.js';
import type { OpenedLog } from './opened-log.js';
import { type ReadSide, openReadSide } from './read-side.js';

/** The person at the command line. */
export const COMMAND_LINE: Actor = { subject: 'system:command-line', roles: ['MANAGER', 'CASHIER'] };
export const CORRELATION = '00000000-0000-4000-8000-00000000c11e';

/** Everything but the edges: log, processor, read side, tokens. Put together by hand, here and nowhere else. */
export interface Core {
  readonly config: Config;
  readonly logger: Logger;
  readonly urls: DatabaseUrls;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: EventLog;
  /** What /ready says and the metrics of the log. */
  readonly logHealth: Pick<OpenedLog, 'readiness' | 'registerMetrics'>;
  readonly bus: CommandBus;
  readonly processor: CommandProcessor;
  readonly readSide: ReadSide;
  readonly leases: Leases;
  readonly readModels: ReadModels;
  readonly tokens: TokenServices;
  readonly identity: IdentityCore;
  readonly pool: Pool;
  /** Resolves when the read models have seen everything that is in the log now. */
  caughtUp(): Promise<void>;
  /** Drains the processor, then stops in reverse order. */
  close(): Promise<void>;
}

interface OpenCoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Run the projections in this process. */
  readonly project: boolean;
  readonly urls: DatabaseUrls;
  readonly observer?: Omit<ProcessorObserver, 'committed'>;
  readonly closeDatabase: () => Promise<void>;
}

const CAUGHT_UP_TIMEOUT_MS = 10 * 60_000;

/** The core on a database that is open already. */
export async function openCore(options: OpenCoreOptions): Promise<Core> {
  const { config, logger, urls } = options;
  const clock = systemClock;
  const ids = createIdSource();
  const openedLog = await openEventLog({
    ...{ logUrl: config.LOG_URL, streamPrefix: config.LOG_STREAM_PREFIX },
    ...{ urls, ids, logger, follow: options.project },
  });
  const { log } = openedLog;
  const pool = createPool({
    url: urls.core,
    name: 'tokens',
    connections: 6,
    onError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
  });
  const secretOf = async (name: 'token-secret' | 'master-secret', configured: string | undefined): Promise<Buffer> =>
    Buffer.from(await serverSecret(config.DATA_DIR, name, configured), 'utf8');
  const master = new HkdfMasterSeal(await secretOf('master-secret', config.MASTER_SECRET));
  const vault = new PostgresKeyVault(pool, master, clock);
  const leases = new PostgresLeases({
    url: urls.core,
    self: `${hostname()}:${process.pid}`,
    onChange: (lease, held) => logger.info({ lease }, held ? 'this process leads' : 'this process leads no more'),
  });
  const readSide = await openReadSide({ log, urls, clock, ids, logger, vault, leases, project: options.project });
  const turns = new PostgresTurns({ url: urls.core });
  const relay = new LeasedRelay({
    leases,
    // Processes hand commands only to those that decide alike.
    credentials: { key: Buffer.from(master.digest('relay', ''), 'hex'), version: await codeDigest() },
    execute: (command) => processor.executeHanded(command),
    invited: (tenantId) => processor.invited(tenantId),
  });
  const appends = new AppendHealth(clock);
  const processor: CommandProcessor = new CommandProcessor({
    ...{ log, relay, turns },
    states: readSide.states,
    clock,
    ids,
    observer: {
      batch: (commands, events) => options.observer?.batch(commands, events),
      conflict: () => options.observer?.conflict(),
      appendFailed: () => appends.failed(),
      committed: (events) => {
        appends.succeeded();
        readSide.publish(events);
      },
    },
  });
  const tokenStore = new PostgresTokenStore(pool);
  const secret = await secretOf('token-secret', config.TOKEN_SECRET);
  const tokenSecrets = new HmacTokenSecrets({ secret, kind: config.production ? 'live' : 'test' });
  const { readModels } = readSide;
  const identity = createIdentity({
    ...{ bus: processor, readModels, clock, ids, pool, master, vault, tokenStore, tokenSecrets },
    erasures: await openErasureRegister(config, logger),
    issuer: config.JWT_ISSUER,
    sandbox: config.sandbox,
  });
  const { tokenVerifier } = identity;
  return {
    config,
    logger,
    urls,
    clock,
    ids,
    log,
    logHealth: {
      readiness: [...openedLog.readiness, appends],
      registerMetrics: (registry) => openedLog.registerMetrics(registry),
    },
    bus: processor,
    processor,
    readSide,
    leases,
    readModels,
    identity,
    tokens: { bus: processor, tokenStore, tokenSecrets, tokenVerifier, clock, ids },
    pool,
    async caughtUp() {
      const position = await log.lastPosition();
      if (position === '' || (await readModels.waitFor(position, CAUGHT_UP_TIMEOUT_MS))) return;
      throw new Error('the read models do not catch up: see GET /ready and the runbook');
    },
    async close() {
      await processor.close();
      await relay.close();
      await turns.close();
      await readSide.close();
      await leases.close();
      await pool.end();
      await openedLog.close();
      await options.closeDatabase();
    },
  };
}

/**
 * For the command line: shares the database of a server that runs on this DATA_DIR, or opens it. The projections run
 * here too for as long as the command takes: two projectors do each other no harm, and after a crash there may be none.
 */
export async function withCore<T>(work: (core: Core) => Promise<T>): Promise<T> {
  const config = readConfig();
  const logger = createLogger({
    level: config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL,
    destination: process.stderr,
  });
  const core = await openCoreHere({ config, logger, project: true });
  try {
    return await work(core);
  } finally {
    await core.close();
  }
}

/** Opens the database that the configuration names, and the core on it. */
export async function openCoreHere(options: Omit<OpenCoreOptions, 'urls' | 'closeDatabase'>): Promise<Core> {
  const { config, logger } = options;
  const database = await openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.DATA_DIR,
    log: (message, details) => logger.info(details ?? {}, message),
  });
  try {
    return await openCore({ ...options, urls: database.urls, closeDatabase: () => database.close() });
  } catch (error) {
    await database.close();
    throw error;
  }
}
