import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pg from 'pg';
import { Registry } from 'prom-client';
import type { Test } from 'tap';
import { EventLogAuditService } from '../../application/audit/service.js';
import { issueApiToken } from '../../application/access/issue-api-token.js';
import type { Identity } from '../../application/access/identity.js';
import { type Role, ROLES } from '../../domain/shared/decider.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { closeHttpServer, createHttpServer } from '../../http/app.js';
import { DEFAULT_HTTP_CONFIG } from '../../http/deps.js';
import { createLogger } from '../../http/logging.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { readConfig } from '../../main/config.js';
import { COMMAND_LINE, CORRELATION, type Core, openCoreHere } from '../../main/core.js';
import { identityWithMail } from '../../main/mail.js';
import { openQueues, startWorkers } from '../../main/workers.js';

/** A person with traces everywhere, on a whole server, and the searches that must not find him once he is erased. */
const TENANT = 'shred';
export const TENANT_ID = tenantIdOf(TENANT);
const AGENT = 'north';
const AGENT_ID = agentIdOf(TENANT_ID, AGENT);
const V6 = '/api/v6/services';
export const USERS = `${V6}/usermanagement`;
export const PASSWORD = 'Tr1cky!Bananas';

/** Nothing else in the system looks like these. */
export const PERSON = {
  firstName: 'Zephyrine',
  lastName: 'Quillfeather',
  email: 'zq.quill@shredded-mail.example',
  phone: '+2348055511223',
  dob: '1987-03-19',
  address: { address1: '77 Nightingale Lane', city: 'Umuahia', postcode: '440236', countryIso3: 'NGA' },
  dynamicFields: { occupation: 'Falconry-instructor' },
};
const BANK_ACCOUNT = '3009988776';
const LATER_NAME = 'Quillfeather-Vane';
/** In both forms that a search could meet: as written, and inside binary or encoded text. */
const NEEDLES = [
  ...['zephyrine', 'quillfeather', 'zq.quill', 'shredded-mail', '8055511223', '1987-03-19', 'nightingale', 'umuahia'],
  ...['440236', 'falconry', BANK_ACCOUNT, 'picture-of-zq'],
].flatMap((text) => [text, Buffer.from(text, 'utf8').toString('hex')]);

/** What of the person is in a text. */
export function found(text: string): string[] {
  const plain = text.toLowerCase();
  return NEEDLES.filter((needle) => plain.includes(needle.toLowerCase()));
}

export interface Running {
  readonly core: Core;
  readonly identity: Identity;
  readonly url: string;
  readonly logged: () => string;
  token(role: Role, customerId?: string): Promise<string>;
  close(): Promise<void>;
}

/** A data directory that is gone with the test. */
export async function scratchDirectory(t: Test): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-erasure-'));
  await chmod(dataDir, 0o755); // The database runs as another user when we are root.
  t.teardown(async () => {
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return dataDir;
}

/** The whole server on a real database, in this process; on one that has no tenant yet with a tenant and an agent. */
export async function openServer(t: Test, dataDir: string): Promise<Running> {
  let logged = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString();
      done();
    },
  });
  const logger = createLogger({ level: 'trace', destination });
  const config = { ...readConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'trace' }), PORT: 0 };
  const core = await openCoreHere({ config, logger, project: true });
  const metrics = new Registry();
  const queues = await openQueues(core, metrics);
  const withMail = identityWithMail(core, queues);
  const workers = await startWorkers(core, queues, { ...withMail, partners: undefined });
  const { identity } = withMail;
  const deps = {
    ...{ bus: core.bus, readModels: core.readModels, identity, banks: undefined, readiness: [], logger, metrics },
    ...{ tokenStore: core.tokens.tokenStore, tokenSecrets: core.tokens.tokenSecrets },
    ...{ tokenVerifier: core.tokens.tokenVerifier, clock: core.clock, ids: core.ids },
    audit: new EventLogAuditService(core.log, { clock: core.clock, readModels: core.readModels }),
    config: { ...DEFAULT_HTTP_CONFIG, accessLog: { mode: 'all' as const, sampleEvery: 1, slowMs: 0 } },
  };
  const server = createHttpServer(deps);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await closeHttpServer(server, deps, 1_000);
    await workers.close();
    await core.close();
  };
  t.teardown(close);
  const settings = {
    name: 'Shred',
    baseCurrency: 'NGN',
    currencies: ['NGN'],
    domains: [],
    branding: {},
    emailTemplates: {},
  };
  const asked = { tenantId: TENANT_ID, actor: COMMAND_LINE, correlationId: CORRELATION };
  if ((await core.log.head(TENANT_ID)).revision < 0) {
    await core.bus.execute({ ...asked, name: 'create-tenant', payload: { slug: TENANT, settings } });
    const { currencies: _, baseCurrency: __, ...agent } = settings;
    await core.bus.execute({ ...asked, name: 'create-agent', payload: { slug: AGENT, settings: agent } });
  }
  await core.caughtUp();
  return {
    core,
    identity,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logged: () => logged,
    close,
    async token(role, customerId) {
      const isHis = role === 'CUSTOMER' && customerId !== undefined;
      const more = isHis ? { customerId } : role === 'AGENT' ? { agentId: AGENT_ID } : {};
      const wanted = { name: role, roles: [role], ipAllowList: [], expiresAt: '2999-01-01T00:00:00.000Z', ...more };
      const issued = await issueApiToken(wanted, asked, core.tokens);
      if (issued.status !== 'accepted' || issued.token === null) throw new Error('no token');
      return issued.token;
    },
  };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly data: Record<string, unknown>;
}

export async function send(
  server: Running,
  path: string,
  sent: { method?: string; body?: unknown; token?: string } = {},
): Promise<Reply> {
  const { body, token } = sent;
  const response = await fetch(server.url + path, {
    method: sent.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      'X-Tenant': TENANT,
      ...(token === undefined ? {} : { 'X-Auth-Token': token }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const { data } = (text.startsWith('{') ? JSON.parse(text) : {}) as { data?: Record<string, unknown> };
  return { status: response.status, text, data: data ?? {} };
}

/** Every row of every table that is ours, as text. */
export async function dumpOf(server: Running): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: server.core.urls.owner });
  await client.connect();
  try {
    // The owner is bound by row-level security too, where it is forced; a superuser is not.
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'`,
    );
    const dump = new Map<string, string>();
    for (const { name } of tables.rows) {
      await client.query(`select set_config('app.tenant', $1, false)`, [TENANT_ID]);
      const { rows } = await client.query<{ line: string }>(`select t::text as line from ${name} t`);
      dump.set(name, rows.map(({ line }) => line).join('\n'));
    }
    return dump;
  } finally {
    await client.end();
  }
}

/** The tables that have something of the person. */
export const tellingTables = (dump: Map<string, string>): Record<string, string[]> =>
  Object.fromEntries(
    [...dump].map(([name, text]) => [name, found(text)] as const).filter(([, needles]) => needles.length > 0),
  );

/** A life: registered, logged in, with a device, PINs, a picture, an account, bank details, mail. */
export async function live(
  server: Running,
  t: Test,
): Promise<{ id: string; code: string; accountId: string; tokens: string[] }> {
  const manager = await server.token('MANAGER');
  const ok = async (path: string, sent: Parameters<typeof send>[2]): Promise<Record<string, unknown>> => {
    const reply = await send(server, path, sent);
    t.ok(reply.status < 300, `${path} ${reply.status < 300 ? '' : reply.text}`);
    return reply.data;
  };
  const registration = {
    customerType: 'INDIVIDUAL',
    payloadEncrypted: false,
    ...PERSON,
    password: PASSWORD,
    confirmPassword: PASSWORD,
  };
  const agent = await server.token('AGENT');
  const { id, customerCode } = await ok(`${USERS}/register-customer`, { body: registration, token: agent });
  const login = await ok(`${V6}/securitymanagement/login`, {
    method: 'PUT',
    body: { email: PERSON.email, currentPassword: PASSWORD },
  });
  const token = String(login['access_token']);
  await ok(`${USERS}/profile-edit`, { method: 'PUT', body: { lastName: LATER_NAME }, token });
  await ok(`${USERS}/create-transaction-pin`, {
    body: { transactionPin: '4937', confirmTransactionPin: '4937' },
    token,
  });
  await ok(`${V6}/securitymanagement/create-user-pin`, {
    body: { userPin: '8261', confirmUserPin: '8261', deviceId: 'device-zq' },
    token,
  });
  const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('picture-of-zq')]).toString(
    'base64',
  );
  await ok(`${USERS}/upload-profile-picture`, {
    body: { name: `${PERSON.firstName}.jpg`, file_base64: picture },
    token,
  });
  const pairs = [
    { key: 'accountholdername', value: PERSON.firstName },
    { key: 'bankaccountno', value: BANK_ACCOUNT },
  ];
  await ok(`${V6}/bankmanagement/customer-bank-details`, {
    body: { currencyCode: 'NGN', country: 'NGA', bankAccountMetaData: pairs },
    token,
  });
  const name = `${PERSON.firstName} ${PERSON.lastName}`;
  const account = { ownerId: id, accountName: name, productCode: 'WALLET', currencyCode: 'NGN' };
  const { accountId } = await ok(`${V6}/account-maintenance/open-account`, { body: account, token: manager });
  await ok(`${V6}/securitymanagement/generate-and-send-otp`, { body: { email: PERSON.email, purpose: 'TRANSACTION' } });
  await send(server, `${V6}/securitymanagement/login`, {
    method: 'PUT',
    body: { email: PERSON.email, currentPassword: 'wrong-Passw0rd!' },
  });
  await send(server, `${V6}/securitymanagement/reset-password/${encodeURIComponent(PERSON.email)}`);
  const tokens = [token, await server.token('CUSTOMER', String(id))];
  return { id: String(id), code: String(customerCode), accountId: String(accountId), tokens };
}

/** Asks everything that can be asked, with the person's ids wherever an id goes. */
export async function askEverything(
  server: Running,
  person: { id: string; code: string; accountId: string },
  roles: readonly Role[] = ROLES,
): Promise<string[]> {
  const values: Record<string, readonly string[]> = {
    id: [person.id, person.code],
    accountId: [person.accountId],
    accountOwnerId: [person.id],
    aggregateType: ['customer', 'account', 'tenant'],
    aggregateId: [person.id, person.accountId, TENANT_ID],
  };
  const queries = [
    '',
    '?size=100',
    `?query=${encodeURIComponent(PERSON.lastName)}`,
    `?query=${encodeURIComponent(PERSON.phone)}`,
    `?customerCode=${person.code}`,
    `?ownerId=${person.id}`,
    '?format=csv',
  ];
  const telling: string[] = [];
  for (const role of roles) {
    const token = await server.token(role, person.id);
    for (const endpoint of ENDPOINTS.filter(({ kind, method }) => kind === 'query' && method === 'GET')) {
      const [route = { path: '' }] = routesOf(endpoint);
      for (const path of pathsOf(route.path, values)) {
        for (const query of queries) {
          const reply = await send(server, path + query, { token });
          // What was asked for comes back in the message at most.
          const needles = found(reply.text.replaceAll(encodeURIComponent(PERSON.phone), ''));
          if (needles.length > 0) telling.push(`${role} ${path}${query}: ${needles.join(' ')}`);
        }
      }
    }
  }
  return telling;
}

function pathsOf(pattern: string, values: Record<string, readonly string[]>): string[] {
  const [name] = /\{(\w+)\}/.exec(pattern)?.slice(1) ?? [];
  if (name === undefined) return [pattern];
  const all = values[name] ?? ['1'];
  return all.flatMap((value) => pathsOf(pattern.replace(`{${name}}`, value), values));
}
