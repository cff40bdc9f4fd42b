import { z } from 'zod';
import type { ReadinessCheck } from '../deps.js';
import { type FileAnswer, defineEndpoint } from '../endpoint.js';

const PLATFORM = '/api/v6/services/platform';
const JSON_TYPE = 'application/json; charset=utf-8';

/** A check that has not answered after this long counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

const json = (status: number, value: unknown): FileAnswer => ({
  kind: 'file',
  status,
  contentType: JSON_TYPE,
  content: JSON.stringify(value),
});

export const health = defineEndpoint({
  id: 'health',
  group: 'platform',
  title: 'Health',
  description: 'The process answers. Says nothing about what it depends on: see ready.',
  method: 'GET',
  path: `${PLATFORM}/health`,
  aliases: [
    { method: 'GET', path: '/health' },
    { method: 'GET', path: '/healthz' },
  ],
  roles: 'PUBLIC',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'Up',
    data: z.object({ status: z.literal('UP') }),
    example: { status: 'UP' },
    envelope: false,
  },
  errors: [],
  handler: () => json(200, { status: 'UP' }),
});

export const ready = defineEndpoint({
  id: 'ready',
  group: 'platform',
  title: 'Readiness',
  description: '503 while a projection is parked or lags, the database is away, or the self-audit has failed.',
  method: 'GET',
  path: `${PLATFORM}/ready`,
  aliases: [
    { method: 'GET', path: '/ready' },
    { method: 'GET', path: '/readyz' },
  ],
  roles: 'PUBLIC',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'Ready',
    data: z.object({
      status: z.enum(['READY', 'NOT_READY']),
      checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })),
    }),
    example: { status: 'READY', checks: [{ name: 'log', ok: true }] },
    envelope: false,
  },
  errors: ['SERVICE_UNAVAILABLE'],
  async handler(call) {
    const { readiness, clock } = call.services;
    const done = new AbortController();
    const late = clock.sleep(CHECK_TIMEOUT_MS, done.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    const checks = await Promise.all(readiness.map((check) => result(check, late)));
    done.abort();
    const ok = checks.every((check) => check.ok);
    return json(ok ? 200 : 503, { status: ok ? 'READY' : 'NOT_READY', checks });
  },
});

async function result(
  check: ReadinessCheck,
  late: Promise<'late'>,
): Promise<{ name: string; ok: boolean; detail?: string }> {
  const { name } = check;
  try {
    const answer = await Promise.race([check.check(), late]);
    return answer === 'late' ? { name, ok: false, detail: 'no answer in time' } : { name, ...answer };
  } catch {
    // The reason may name hosts or accounts; it is in the log of whoever failed.
    return { name, ok: false, detail: 'failed' };
  }
}

export const metrics = defineEndpoint({
  id: 'metrics',
  group: 'platform',
  title: 'Metrics',
  description: 'Prometheus text format.',
  method: 'GET',
  path: `${PLATFORM}/metrics`,
  aliases: [{ method: 'GET', path: '/metrics' }],
  roles: 'PUBLIC',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'Metrics',
    data: z.string(),
    example: 'corebook_http_requests_running 1',
    envelope: false,
    files: ['text/plain', 'application/openmetrics-text'],
  },
  errors: [],
  async handler(call) {
    const { metrics: registry } = call.services;
    return { kind: 'file', status: 200, contentType: registry.contentType, content: await registry.metrics() };
  },
});

export const openApi = defineEndpoint({
  id: 'openapi',
  group: 'platform',
  title: 'OpenAPI document',
  method: 'GET',
  path: `${PLATFORM}/openapi.json`,
  aliases: [{ method: 'GET', path: '/openapi.json' }],
  roles: 'PUBLIC',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'OpenAPI 3.1',
    data: z.object({ openapi: z.string() }),
    example: { openapi: '3.1.0' },
    envelope: false,
  },
  errors: [],
  handler: (call) => ({ kind: 'file', status: 200, contentType: JSON_TYPE, content: call.services.openApiText() }),
});
