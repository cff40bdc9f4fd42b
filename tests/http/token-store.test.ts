/** One contract for both token stores, and what only PostgreSQL can be asked. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { StoredToken, TokenStore } from '../../application/ports/token-store.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryTokenStore } from '../../infrastructure/memory/token-store.js';
import { type Database, openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresTokenStore } from '../../infrastructure/postgres/token-store.js';
import { HmacTokenSecrets } from '../../infrastructure/security/token-secrets.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

let time = Date.parse('2026-11-22T10:00:00Z');
const ids = createIdSource(() => (time += 1));
const secrets = new HmacTokenSecrets({ secret: Buffer.alloc(32, 3), kind: 'live' });
const hashOf = (token: string): string => secrets.hash(token) ?? '';

function tokenOf(more: Partial<StoredToken> = {}): StoredToken {
  return {
    tokenId: ids.eventId(),
    tenantId: tenantIdOf('demo'),
    name: 'Back "office" \'1\'',
    prefix: 'fct_live_abcd…',
    roles: ['CASHIER', 'CUSTOMER'],
    customerId: '7b1f4c1e-6c5d-4a86-9a37-0d4a5cbb7a10',
    agentId: '8c2e5d2f-7d6e-4b97-8b48-1e5b6dcc8b21',
    ipAllowList: ['203.0.113.0/24', '::1'],
    createdBy: 'token:maker',
    createdAt: '2026-11-22T10:30:00.123Z',
    expiresAt: '2027-02-22T10:30:00.000Z',
    status: 'ACTIVE',
    lastUsedAt: null,
    previousGraceUntil: null,
    rotation: null,
    ...more,
  };
}

async function contract(t: Test, store: TokenStore): Promise<void> {
  const secret = secrets.create();
  const token = tokenOf();
  const { tenantId, tokenId } = token;
  await store.insert(token, hashOf(secret));

  await t.test('what is stored is found again, by hash and by id', async (t) => {
    t.same(await store.findByHash(hashOf(secret)), { token, isPrevious: false });
    t.same(await store.get(tenantId, tokenId), token);
    t.equal(await store.findByHash(hashOf(secrets.create())), undefined);
    t.equal(await store.get(tenantIdOf('other'), tokenId), undefined, 'another tenant does not see it');
    await t.rejects(store.insert(tokenOf(), hashOf(secret)), 'a hash stands once');
    await t.rejects(store.insert(token, hashOf(secrets.create())), 'an id stands once');
  });

  await t.test('the last use only goes forward', async (t) => {
    await store.touch(tenantId, tokenId, '2026-11-22T11:00:00.000Z');
    await store.touch(tenantId, tokenId, '2026-11-22T10:59:00.000Z');
    t.equal((await store.get(tenantId, tokenId))?.lastUsedAt, '2026-11-22T11:00:00.000Z');
  });

  await t.test('a rotation keeps the old secret, once per event', async (t) => {
    const next = secrets.create();
    const [earlier, rotation, later] = [ids.eventId(), ids.eventId(), ids.eventId()];
    const change = { hash: hashOf(next), prefix: 'fct_live_next…', graceUntil: '2026-11-22T12:00:00.000Z', rotation };
    t.equal(await store.rotate(tenantId, tokenId, change), true);
    t.match(await store.findByHash(hashOf(next)), { isPrevious: false, token: { prefix: 'fct_live_next…', rotation } });
    t.match(await store.findByHash(hashOf(secret)), {
      isPrevious: true,
      token: { previousGraceUntil: '2026-11-22T12:00:00.000Z' },
    });
    const hash = hashOf(secrets.create());
    t.equal(await store.rotate(tenantId, tokenId, { ...change, hash }), false, 'the same rotation again');
    t.equal(await store.rotate(tenantId, tokenId, { ...change, hash, rotation: earlier }), false, 'an earlier one');
    t.equal(
      await store.rotate(tenantIdOf('other'), tokenId, { ...change, hash, rotation: later }),
      false,
      "another tenant's",
    );
    t.equal(await store.rotate(tenantId, tokenId, { ...change, hash, rotation: later }), true);
    t.equal(await store.findByHash(hashOf(secret)), undefined, 'the one before the last is gone');
  });

  await t.test('disabled and deleted', async (t) => {
    const own = secrets.create();
    const other = tokenOf({
      createdBy: 'token:other',
      createdAt: '2026-11-22T10:31:00.000Z',
      customerId: null,
      ipAllowList: [],
    });
    await store.insert(other, hashOf(own));
    await store.setStatus(tenantIdOf('other'), other.tokenId, 'DELETED');
    t.equal((await store.get(tenantId, other.tokenId))?.status, 'ACTIVE', 'not by another tenant');
    await store.setStatus(tenantId, other.tokenId, 'DISABLED');
    t.match(await store.findByHash(hashOf(own)), { token: { status: 'DISABLED' } });
    const rotation = {
      hash: hashOf(secrets.create()),
      prefix: 'p',
      graceUntil: '2026-11-22T12:00:00.000Z',
      rotation: ids.eventId(),
    };
    t.equal(await store.rotate(tenantId, other.tokenId, rotation), false);
    const names = async (filter: { createdBy?: string }) =>
      (await store.list(tenantId, filter, { page: 1, size: 10 })).items.map((one) => one.tokenId);
    t.same(await names({}), [other.tokenId, tokenId], 'newest first');
    t.same(await names({ createdBy: 'token:other' }), [other.tokenId]);
    await store.setStatus(tenantId, other.tokenId, 'DELETED');
    t.equal(await store.findByHash(hashOf(own)), undefined);
    t.equal((await store.get(tenantId, other.tokenId))?.status, 'DELETED', 'its id stays known');
    await store.setStatus(tenantId, other.tokenId, 'DISABLED');
    t.equal((await store.get(tenantId, other.tokenId))?.status, 'DELETED', 'for good');
    t.same(await names({}), [tokenId]);
    t.equal((await store.list(tenantId, {}, { page: 7, size: 10 })).totalElements, 1, 'past the last page');
    t.same(await store.list(tenantIdOf('other'), {}, { page: 1, size: 10 }), { items: [], totalElements: 0 });
  });
}

t.test('memory', (t) => contract(t, new MemoryTokenStore()));

async function openTestDatabase(t: Test): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-tokens-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  t.teardown(async () => {
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return database;
}

t.test('postgres', async (t) => {
  const database = await openTestDatabase(t);
  const pool = new pg.Pool({ connectionString: database.urls.core, max: 2 });
  // An idle connection may hear of the server's end before the pool is closed.
  pool.on('error', () => undefined);
  t.teardown(() => pool.end());
  await contract(t, new PostgresTokenStore(pool));

  await t.test('is for the core role alone', async (t) => {
    for (const role of ['api', 'analyst'] as const) {
      const client = new pg.Client({ connectionString: database.urls[role] });
      await client.connect();
      await t.rejects(client.query('select 1 from ledger.api_tokens'), /permission denied/, role);
      await client.end();
    }
    await t.rejects(pool.query('delete from ledger.api_tokens'), /permission denied/, 'rows stay');
  });
});

t.test('secrets', async (t) => {
  const [a, b] = [secrets.create(), secrets.create()];
  t.match(a, /^fct_live_[A-Za-z0-9_-]{51}$/);
  t.not(a, b);
  t.match(hashOf(a), /^[0-9a-f]{64}$/);
  t.equal(hashOf(a), hashOf(a));
  const elsewhere = new HmacTokenSecrets({ secret: Buffer.alloc(32, 4), kind: 'live' });
  t.equal(elsewhere.hash(a), undefined, 'a token of another server is none');
  for (const text of ['', 'x', `${a}x`, a.slice(0, -1), a.replace('live', 'test'), `${a.slice(0, 20)}!${a.slice(21)}`])
    t.equal(secrets.hash(text), undefined, text);
  t.throws(() => new HmacTokenSecrets({ secret: Buffer.alloc(31), kind: 'test' }), /32 bytes/);
});
