import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { closeHttpServer } from '../http/app.js';
import type { ReadinessCheck } from '../http/deps.js';
import { createOpsServer } from '../http/ops-server.js';
import type { Core } from './core.js';
import type { Stop } from './stop.js';
import type { Workers } from './workers.js';

/** What this process needs to be ready, whichever roles it has. */
export function readinessChecks(core: Core, workers: Workers | undefined, stop: Stop): readonly ReadinessCheck[] {
  const process = { name: 'process', check: () => Promise.resolve(lifeOf(stop)) };
  return [process, ...core.logHealth.readiness, ...core.readSide.readiness, ...(workers?.readiness ?? [])];
}

function lifeOf(stop: Stop): { ok: boolean; detail?: string } {
  return stop.isTold ? { ok: false, detail: 'stopping' } : { ok: true };
}

/** Serves /health, /ready and /metrics at OPS_PORT, for a process without the role api. Answers how to stop. */
export async function serveOps(
  core: Core,
  {
    metrics,
    workers,
    stop,
  }: { readonly metrics: Registry; readonly workers: Workers | undefined; readonly stop: Stop },
): Promise<(() => Promise<void>) | undefined> {
  const { config, clock, logger } = core;
  if (config.OPS_PORT === undefined) return undefined;
  const server = createOpsServer({ readiness: readinessChecks(core, workers, stop), metrics, clock, logger });
  server.listen(config.OPS_PORT, config.HOST);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  logger.info({ address, port, roles: config.ROLES }, 'working; /health, /ready and /metrics are served');
  return () => closeHttpServer(server, { clock });
}
