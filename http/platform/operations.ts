import { z } from 'zod';
import { type FileAnswer, defineEndpoint } from '../endpoint.js';
import { readinessOf } from './readiness.js';

const PLATFORM = '/api/v6/services/platform';
const JSON_TYPE = 'application/json; charset=utf-8';

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
    const verdict = await readinessOf(readiness, clock);
    return json(verdict.status === 'READY' ? 200 : 503, verdict);
  },
});

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
