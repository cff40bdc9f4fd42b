import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { closeHttpServer, createHttpServer } from '../http/app.js';
import { DEFAULT_HTTP_CONFIG, type HttpConfig, type HttpDeps } from '../http/deps.js';
import type { Identity } from '../application/access/identity.js';
import type { JobQueues } from '../application/ports/job-queue.js';
import { createLogger } from '../http/logging.js';
import { seedSandbox } from '../application/sandbox/seed.js';
import { EventLogAuditService } from '../application/audit/service.js';
import { isJobOutage } from '../infrastructure/jobs/outage.js';
import { isDatabaseOutage } from '../infrastructure/postgres/outage.js';
import { type Config, readConfig, redacted } from './config.js';
import { type Core, openCoreHere } from './core.js';
import { banner, readSandbox, writeSandbox } from './sandbox.js';
import { identityWithMail } from './mail.js';
import { readinessChecks, serveOps } from './ops.js';
import { type Partners, openPartners } from './partners.js';
import { processorMetrics, registerGauges } from './processor-metrics.js';
import { Stop } from './stop.js';
import { VERSION } from './version.js';
import { type Workers, openQueues, startWorkers } from './workers.js';

/** `corebook start`: opens everything in order, serves until told to stop, then drains and closes in reverse order. */
export async function start(options: { readonly json: boolean }): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.LOG_LEVEL, destination: process.stderr });
  logger.info({ config: redacted(config) }, 'starting');
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });

  const observer = processorMetrics(metrics);
  const core = await openCoreHere({ config, logger, project: config.ROLES.includes('projector'), observer });
  registerGauges(metrics, core);
  core.readSide.registerMetrics(metrics);
  core.logHealth.registerMetrics(metrics);

  const stop = new Stop();
  let workers: Workers | undefined;
  let queues: JobQueues | undefined;
  const partners = openPartners(core);
  try {
    queues = await openQueues(core, metrics);
    const withMail = identityWithMail(core, queues);
    if (config.ROLES.includes('worker')) workers = await startWorkers(core, queues, { ...withMail, partners });
    const parts = { metrics, workers, partners, stop, identity: withMail.identity };
    const stopHttp = config.ROLES.includes('api') ? await serve(core, parts, options) : await serveOps(core, parts);
    await stop.told();
    logger.info({ forSeconds: config.shutdownDelaySeconds }, 'stopping: /ready is 503, requests are still served');
    await core.clock.sleep(config.shutdownDelaySeconds * 1_000);
    stop.mustEndSoon(logger);
    logger.info('stopping: draining what runs');
    await stopHttp?.();
  } finally {
    await (workers ?? queues)?.close(JOBS_GRACE_MS);
    partners?.close();
    await core.close();
    logger.info('stopped');
  }
}

/** What a job that runs may still take; then it is another process's. */
const JOBS_GRACE_MS = 10_000;

interface ServedParts {
  readonly metrics: Registry;
  readonly workers: Workers | undefined;
  readonly partners: Partners | undefined;
  readonly stop: Stop;
  readonly identity: Identity;
}

async function serve(
  core: Core,
  { metrics, workers, partners, stop, identity }: ServedParts,
  options: { readonly json: boolean },
): Promise<() => Promise<void>> {
  const { config, logger } = core;
  const deps: HttpDeps = {
    bus: core.bus,
    readModels: core.readModels,
    tokenStore: core.tokens.tokenStore,
    tokenSecrets: core.tokens.tokenSecrets,
    tokenVerifier: core.tokens.tokenVerifier,
    identity,
    audit: new EventLogAuditService(core.log, { clock: core.clock, readModels: core.readModels }),
    banks: partners?.banks,
    readiness: readinessChecks(core, workers, stop),
    stopping: () => stop.isTold,
    isOutage: (error) => isDatabaseOutage(error) || isJobOutage(error),
    config: httpConfig(config),
    logger,
    clock: core.clock,
    ids: core.ids,
    metrics,
  };
  const server = createHttpServer(deps);
  server.listen(config.PORT, config.HOST);
  await once(server, 'listening');
  const { port, family, address } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  try {
    await announce(core, url, options.json);
  } catch (error) {
    // Else it would go on answering, with nothing behind it, and the process would never end.
    await closeHttpServer(server, deps);
    throw error;
  }
  return () => closeHttpServer(server, deps);
}

async function announce(core: Core, url: string, json: boolean): Promise<void> {
  const { config } = core;
  if (!config.sandbox) {
    process.stdout.write(json ? `${JSON.stringify({ url })}\n` : `Corebook is ready at ${url}\n`);
    return;
  }
  const known = await readSandbox(config.DATA_DIR);
  const tenants =
    known?.tenants ??
    (await seedSandbox({
      bus: core.bus,
      log: core.log,
      tokens: core.tokens,
      identity: core.identity,
      clock: core.clock,
      rootTenant: config.ROOT_TENANT,
    }));
  // What was there before is waited for by those who ask for it; a parked read model must not keep a start from ending.
  if (known === undefined) await core.caughtUp();
  const file = { url, tenants };
  await writeSandbox(config.DATA_DIR, file);
  process.stdout.write(
    json
      ? `${JSON.stringify(file)}\n`
      : `${banner(file, { showTokens: known === undefined, dataDir: config.DATA_DIR })}\n`,
  );
}

function httpConfig(config: Config): HttpConfig {
  return {
    ...DEFAULT_HTTP_CONFIG,
    rootTenant: config.ROOT_TENANT,
    baseDomains: [
      ...DEFAULT_HTTP_CONFIG.baseDomains,
      ...(config.BASE_DOMAIN === undefined ? [] : [config.BASE_DOMAIN]),
    ],
    trustedProxies: config.TRUSTED_PROXIES,
    trustForwardedHost: config.TRUSTED_PROXIES > 0,
    rateLimits: {
      ...DEFAULT_HTTP_CONFIG.rateLimits,
      perTokenPerMinute: config.RATE_LIMIT_PER_TOKEN,
      perAddressPerMinute: config.RATE_LIMIT_PER_IP,
      perTenantPerMinute: config.RATE_LIMIT_PER_TENANT,
    },
    version: VERSION,
  };
}
