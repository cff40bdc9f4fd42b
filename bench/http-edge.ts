/**
 * What the HTTP edge itself costs: requests of post-account and account-balance against a bus and read models that
 * answer at once, 32 connections, CPU time of the server process per request. Run: node build/bench/http-edge.js
 */
import type { Identity } from '../application/access/identity.js';
import { PreferenceReader } from '../application/access/preference-reader.js';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Command, CommandBus, CommittedEvent, Outcome } from '../application/commands.js';
import type { AccountView, ReadModels } from '../application/ports/read-models.js';
import type { PostEntries } from '../domain/ledger/commands.js';
import { accountIdOf, tenantIdOf } from '../domain/shared/ids.js';
import { createHttpServer } from '../http/app.js';
import { DEFAULT_HTTP_CONFIG, type HttpDeps } from '../http/deps.js';
import { MemoryTokenStore } from '../infrastructure/memory/token-store.js';
import { HmacTokenSecrets } from '../infrastructure/security/token-secrets.js';
import { systemClock as clock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';

const CONNECTIONS = '32';
const SECONDS = process.argv[2] ?? '4';
const tenantId = tenantIdOf('demo');
const ids = createIdSource();
const tokenStore = new MemoryTokenStore();
const tokenSecrets = new HmacTokenSecrets({ secret: Buffer.alloc(32, 7), kind: 'test' });

const bus: CommandBus = {
  execute(command: Command): Promise<Outcome> {
    const { instructions } = command.payload as PostEntries;
    const now = new Date(clock.nowMs()).toISOString();
    const events: CommittedEvent[] = instructions.map((one) => {
      const line = (number: string, side: 'debit' | 'credit') => ({
        account: accountIdOf(tenantId, number),
        currency: one.currency,
        side,
        amount: String(one.counterparties[0]?.amount ?? 0n),
        balance: '123456789',
        sequence: 12,
      });
      return {
        id: ids.eventId(),
        type: 'entry-posted',
        version: 1,
        data: {
          kind: 'posting',
          lines: [line(one.primaryNumber, 'debit'), line(one.counterparties[0]?.number ?? '', 'credit')],
          valueDate: now.slice(0, 10),
          instructionKey: one.key.text,
        },
        tags: [],
        recordedAt: now,
        effectiveAt: now.slice(0, 10),
        meta: { actor: command.actor.subject, correlation: command.correlationId },
      };
    });
    return Promise.resolve({ status: 'accepted', events, revision: 1, position: '1', replayed: false });
  },
};

const account: AccountView = {
  accountId: accountIdOf(tenantId, '1'),
  number: '1',
  name: 'Ada',
  owner: tenantId,
  currency: 'NGN',
  kind: 'LIABILITY',
  product: 'WALLET',
  systemRole: null,
  status: 'ACTIVATED',
  permission: 'FULL_ACCESS',
  frozen: null,
  ledger: 150000n,
  held: 0n,
  liens: 0n,
  overdraftLimit: 0n,
  minimumBalance: 0n,
  maximumBalance: null,
  sequence: 3,
  openedAt: '2026-11-22T10:30:00.000Z',
  closedAt: null,
};

function posting(count: number): string {
  const one = (index: number) => ({
    primaryAccountNumber: '1234567890',
    currencyCode: 'NGN',
    creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
    counterParties: [{ accountNumber: '0987654321', currencyCode: 'NGN', amount: 1000.5, narration: 'School fees' }],
    instructionIdempotencykey: `e7a3c1f0-5f0a-4f3e-9a53-6f6f0a1c${index}`,
    insufficientFundHandler: { insufficientFundAuthorizationMode: 'ON_AVAILABLE_BALANCE' },
  });
  return JSON.stringify(Array.from({ length: count }, (_, index) => one(index)));
}

async function load(server: Server, path: string, method: string, token: string, body?: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cannon = fileURLToPath(import.meta.resolve('autocannon'));
  const run = (seconds: string) =>
    new Promise<{ '2xx': number; non2xx: number; p99: number }>((resolve, reject) => {
      const options = ['-c', CONNECTIONS, '-d', seconds, '-j', '-m', method, '-H', `X-Auth-Token=${token}`];
      if (body !== undefined) options.push('-H', 'Content-Type=application/json', '-b', body);
      const child = spawn(process.execPath, [cannon, ...options, `http://127.0.0.1:${port}${path}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.on('error', reject);
      child.on('close', () => {
        const result = JSON.parse(text) as { '2xx': number; non2xx: number; latency: { p99: number } };
        resolve({ '2xx': result['2xx'], non2xx: result.non2xx, p99: result.latency.p99 });
      });
    });
  await run('1');
  const before = process.cpuUsage();
  const started = clock.nowMs();
  const result = await run(SECONDS);
  const { user, system } = process.cpuUsage(before);
  const seconds = (clock.nowMs() - started) / 1000;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  const answered = result['2xx'];
  const cost = ((user + system) / answered).toFixed(1);
  return `${cost} µs CPU, ${Math.round(answered / seconds)}/s, p99 ${result.p99} ms, ${result.non2xx} failed`;
}

function bare(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = JSON.stringify({ data: JSON.parse(Buffer.concat(chunks).toString()), padding: 'x'.repeat(900) });
      response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))]);
      response.end(text);
    });
  });
}

const token = tokenSecrets.create();
const hash = tokenSecrets.hash(token) ?? '';
await tokenStore.insert(
  {
    tokenId: ids.eventId(),
    tenantId,
    name: 'bench',
    prefix: 'fct_test',
    roles: ['MANAGER'],
    customerId: null,
    agentId: null,
    ipAllowList: [],
    createdBy: 'bench',
    createdAt: new Date(clock.nowMs()).toISOString(),
    expiresAt: '2999-01-01T00:00:00.000Z',
    status: 'ACTIVE',
    lastUsedAt: null,
    previousGraceUntil: null,
    rotation: null,
  },
  hash,
);

function edge(hotPath: boolean): Server {
  const unlimited = {
    perTokenPerMinute: 1e9,
    perAddressPerMinute: 1e9,
    perTenantPerMinute: 1e9,
    guessesPerAddressPerMinute: 1e9,
    unauthorisedPerMinute: 1e9,
  };
  const readModels = {
    account: () => Promise.resolve(account),
    tenantSettings: () => Promise.resolve({ preferences: [], countries: {} }),
  } as unknown as ReadModels;
  const deps: HttpDeps = {
    bus,
    readModels,
    tokenStore,
    tokenSecrets,
    identity: { preferences: new PreferenceReader(readModels, clock) } as unknown as Identity,
    audit: { replay: () => Promise.reject(new Error()), verifyChain: () => Promise.reject(new Error()) },
    readiness: [],
    config: { ...DEFAULT_HTTP_CONFIG, hotPath, rateLimits: unlimited },
    logger: pino({ level: 'silent' }),
    clock,
    ids,
    metrics: new Registry(),
    banks: undefined,
  };
  return createHttpServer(deps);
}

const POST = '/api/v6/services/gateway/post-account';
const BALANCE = `/api/v6/services/ledger/account-balance/${account.accountId}`;
const only = process.argv[3];
for (const [name, run] of Object.entries({
  'bare node:http, JSON in and out': () => load(bare(), '/', 'POST', token, posting(1)),
  'post-account, 1 instruction': () => load(edge(true), POST, 'POST', token, posting(1)),
  'post-account, 100 instructions': () => load(edge(true), POST, 'POST', token, posting(100)),
  'account-balance': () => load(edge(true), BALANCE, 'GET', token),
  'post-account through Express': () => load(edge(false), POST, 'POST', token, posting(1)),
})) {
  if (only === undefined || name.includes(only)) console.log(`${name}: ${await run()}`);
}
