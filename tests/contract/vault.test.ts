/** One contract for what is kept sealed (people's data, files, private keys) and used once, in memory and on PostgreSQL. */
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { FileStore, StoredFile } from '../../application/ports/file-store.js';
import { type KeyVault, SealBroken, SubjectErased } from '../../application/ports/key-vault.js';
import type { ReplayGuard } from '../../application/ports/replay-guard.js';
import type { NewTenantKey, TenantKeyStore } from '../../application/ports/tenant-keys.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryFileStore } from '../../infrastructure/memory/file-store.js';
import { MemoryKeyVault, MemorySubjectKeys } from '../../infrastructure/memory/key-vault.js';
import { MemoryReplayGuard } from '../../infrastructure/memory/replay-guard.js';
import { MemoryTenantKeyStore } from '../../infrastructure/memory/tenant-key-store.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresFileStore } from '../../infrastructure/postgres/file-store.js';
import { PostgresKeyVault } from '../../infrastructure/postgres/key-vault.js';
import { PostgresReplayGuard } from '../../infrastructure/postgres/replay-guard.js';
import { PostgresTenantKeyStore } from '../../infrastructure/postgres/tenant-key-store.js';
import { Argon2Hasher } from '../../infrastructure/security/argon2-hasher.js';
import { NodeKeyPairMaker } from '../../infrastructure/security/key-pairs.js';
import { HkdfMasterSeal } from '../../infrastructure/security/master-seal.js';
import { TEST_KEYS } from '../support/test-keys.js';

const master = new HkdfMasterSeal(Buffer.alloc(32, 9));
const demo = tenantIdOf('demo');
const other = tenantIdOf('other');
const clock = { ms: 1_000_000, nowMs: () => clock.ms };

interface Stores {
  /** A vault of its own for each process. */
  readonly vault: () => KeyVault;
  readonly files: (vault: KeyVault) => FileStore;
  readonly keys: () => TenantKeyStore;
  readonly replays: ReplayGuard;
}

async function vaultContract(t: Test, { vault: newVault }: Stores): Promise<void> {
  const [here, there] = [newVault(), newVault()];
  const ada = randomUUID();
  const person = { firstName: 'Ada', lastName: 'Obi', dynamicFields: { ключ: [1, null, true] } };

  await t.test('what is sealed opens, in every process, for its own subject, tenant and purpose only', async (t) => {
    const sealed = await here.seal(demo, ada, person);
    t.match(sealed, { subject: ada, sealed: /^v1\.[\w-]+$/ });
    t.notMatch(sealed.sealed, /Ada|Obi/);
    t.not((await here.seal(demo, ada, person)).sealed, sealed.sealed, 'never the same twice');
    t.same(await there.open([{ tenantId: demo, person: sealed }]), [person]);

    const bob = await here.seal(demo, randomUUID(), 'Bob');
    const abroad = await here.seal(other, ada, 'Ada abroad');
    const swapped: Array<[string, { subject: string; sealed: string }]> = [
      [demo, { subject: bob.subject, sealed: sealed.sealed }],
      [demo, { subject: ada, sealed: abroad.sealed }],
      [demo, { subject: ada, sealed: `${sealed.sealed.slice(0, -2)}${sealed.sealed.endsWith('AA') ? 'BB' : 'AA'}` }],
      [demo, { subject: ada, sealed: sealed.sealed.slice(0, 20) }],
      [demo, { subject: ada, sealed: sealed.sealed.slice(3) }],
      [demo, { subject: ada, sealed: '' }],
      [demo, { subject: randomUUID(), sealed: sealed.sealed }],
    ];
    for (const [tenantId, person] of swapped) {
      await t.rejects(here.open([{ tenantId, person }]), SealBroken, person.sealed.slice(0, 12));
    }
    const bytes = await here.sealBytes(demo, ada, Buffer.from('picture'));
    t.same(await there.openBytes(demo, ada, bytes), Buffer.from('picture'));
    const asText = { subject: ada, sealed: `v1.${bytes.toString('base64url')}` };
    await t.rejects(here.open([{ tenantId: demo, person: asText }]), SealBroken, 'bytes are not a person');
    await t.rejects(here.openBytes(demo, randomUUID(), bytes), SealBroken);
  });

  await t.test('many at once keep their order; several of one person too', async (t) => {
    const people = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => ({
        tenantId: index % 2 === 0 ? demo : other,
        person: await here.seal(index % 2 === 0 ? demo : other, randomUUID(), { index }),
      })),
    );
    const items = [...people, ...people.slice(0, 50).reverse()];
    const opened = await newVault().open(items);
    t.same(
      opened.map((one) => (one as { index: number }).index),
      [...people.keys(), ...[...people.keys()].slice(0, 50).reverse()],
    );
    t.same(await here.open([]), []);
  });

  await t.test('the first seals of a subject in two processes use one key', async (t) => {
    const subject = randomUUID();
    const sealed = await Promise.all(
      [here, there, here, there, newVault()].map((vault, index) => vault.seal(demo, subject, index)),
    );
    t.same(await newVault().open(sealed.map((person) => ({ tenantId: demo, person }))), [0, 1, 2, 3, 4]);
  });

  await t.test(
    'a destroyed key opens nothing: here at once, elsewhere within five seconds, and none is made again',
    async (t) => {
      const sealed = await here.seal(demo, ada, person);
      const bytes = await here.sealBytes(demo, ada, Buffer.from('picture'));
      const bob = await here.seal(demo, randomUUID(), 'Bob');
      const items = [
        { tenantId: demo, person: sealed },
        { tenantId: demo, person: bob },
      ];
      t.same(await there.open(items), [person, 'Bob']);
      await here.destroy(demo, ada);
      t.same(await here.open(items), [undefined, 'Bob']);
      t.equal(await here.openBytes(demo, ada, bytes), undefined);
      clock.ms += 5_000;
      t.same(await there.open(items), [undefined, 'Bob']);
      for (const vault of [here, there, newVault()]) {
        await t.rejects(vault.seal(demo, ada, 'again'), SubjectErased);
        await t.rejects(vault.sealBytes(demo, ada, Buffer.from('again')), SubjectErased);
      }
      await here.destroy(demo, ada);
      t.same(await newVault().open(items), [undefined, 'Bob'], 'twice is once');
      const unborn = randomUUID();
      await there.destroy(demo, unborn);
      await t.rejects(newVault().seal(demo, unborn, 'too late'), SubjectErased, 'before anything was sealed');
      t.same(await here.seal(other, ada, 'elsewhere').then((person) => here.open([{ tenantId: other, person }])), [
        'elsewhere',
      ]);
    },
  );
}

async function filesContract(t: Test, { vault: newVault, files: newFiles }: Stores): Promise<void> {
  const vault = newVault();
  const files = newFiles(vault);
  const fileOf = (owner: string, more: Partial<StoredFile> = {}): StoredFile => ({
    ...{ fileId: randomUUID(), tenantId: demo, owner, kind: 'DOCUMENT', name: 'Ada’s passport.pdf' },
    ...{ contentType: 'application/pdf', size: 3, createdAt: '2026-11-22T10:30:00.123Z', ...more },
  });
  const [ada, bob] = [randomUUID(), randomUUID()];
  const content = randomBytes(300_000);
  const [passport, picture] = [fileOf(ada, { size: content.length }), fileOf(ada, { kind: 'PICTURE' })];
  const bill = fileOf(bob);
  await files.put(passport, content);
  await files.put(picture, Buffer.from('jpg'));
  await files.put(bill, Buffer.alloc(0));
  t.same(await newFiles(newVault()).get(demo, passport.fileId), { file: passport, content });
  t.same(await files.get(demo, bill.fileId), { file: bill, content: Buffer.alloc(0) });
  t.equal(await files.get(other, passport.fileId), undefined, 'another tenant does not see it');
  t.equal(await files.get(demo, randomUUID()), undefined);
  await t.rejects(files.put(passport, content), 'an id stands once');
  await files.delete(other, picture.fileId);
  t.ok(await files.get(demo, picture.fileId));
  await files.delete(demo, picture.fileId);
  t.equal(await files.get(demo, picture.fileId), undefined);
  await vault.destroy(demo, ada);
  t.equal(await files.get(demo, passport.fileId), undefined, 'of an erased owner');
  await t.rejects(files.put(fileOf(ada), content), SubjectErased);
  await files.deleteAllOf(demo, bob);
  t.equal(await files.get(demo, bill.fileId), undefined);
}

async function keysContract(t: Test, { keys: newKeys }: Stores): Promise<void> {
  const store = newKeys();
  let next = 0;
  const keyOf = (more: Partial<NewTenantKey> = {}): NewTenantKey => ({
    ...{ tenantId: demo, kid: `kid-${String((next += 1))}`, use: 'PAYLOAD', algorithm: 'RSA-OAEP-256' },
    createdAt: `2026-11-22T10:30:00.${String(next).padStart(3, '0')}Z`,
    publicSpki: (TEST_KEYS.rsa2048[0]?.publicSpki ?? Buffer.alloc(0)).toString('base64'),
    ...more,
  });
  const half = Buffer.from('the private half');
  const [now, later] = ['2026-11-22T12:00:00.000Z', '2026-11-24T12:00:00.000Z'];
  const [first, second, third] = [keyOf(), keyOf(), keyOf()];

  t.equal(await store.add(first, half), true);
  t.same(await store.list(demo), [], 'not used yet');
  t.equal(await store.add(first, half), true, 'a retry');
  t.same(await store.activate(demo, first.kid, later, now), { ...first, status: 'ACTIVE', retiresAt: null });
  t.equal(await store.add(first, half), false, 'in use');
  t.equal(await store.activate(demo, 'unknown', later, now), undefined);
  t.equal(await store.activate(other, first.kid, later, now), undefined);
  t.same(await newKeys().privateKey(demo, first.kid), half);
  t.equal(await store.privateKey(other, first.kid), undefined);

  await t.test('of activations at once each replaces the one before', async (t) => {
    const curve = keyOf({ algorithm: 'ECDH-ES+A256KW' });
    const jwt = keyOf({ use: 'JWT', algorithm: 'RS256' });
    for (const key of [second, third, curve, jwt]) await store.add(key, half);
    const elsewhere = newKeys();
    await Promise.all(
      [second, third, curve, jwt].map((key, at) =>
        (at % 2 === 0 ? store : elsewhere).activate(demo, key.kid, later, now),
      ),
    );
    const active = (await store.list(demo)).filter(({ status }) => status === 'ACTIVE').map(({ kid }) => kid);
    t.equal(active.length, 3, 'one of each use and algorithm');
    t.ok(active.includes(curve.kid) && active.includes(jwt.kid));
    const payload = await store.list(demo, 'PAYLOAD');
    t.same(
      payload.map(({ kid }) => kid),
      [curve, third, second, first].map(({ kid }) => kid),
      'newest first',
    );
    t.equal(payload.filter(({ retiresAt }) => retiresAt === later).length, 2);
    const replaced = payload.find(({ status }) => status === 'RETIRING') ?? t.fail();
    t.same(
      await store.activate(demo, (replaced as { kid: string }).kid, now, now),
      replaced,
      'done before: nothing changes',
    );
    t.same(await store.list(demo, 'PAYLOAD'), payload);
    t.same(await store.list(other), []);
  });

  await t.test('a private half is destroyed when its key is past its time; what was never used may go', async (t) => {
    const next = keyOf();
    await store.add(next, half);
    await store.discard(other, next.kid);
    await store.activate(demo, next.kid, now, later);
    t.match(
      (await store.list(demo)).find(({ kid }) => kid === first.kid),
      { status: 'RETIRED', retiresAt: later },
    );
    for (const { kid } of [first, second, third]) t.equal(await store.privateKey(demo, kid), undefined, kid);
    t.same(await store.privateKey(demo, next.kid), half);
    await store.discard(demo, next.kid);
    t.same(await store.privateKey(demo, next.kid), half, 'in use');
    t.equal(await store.add(first, half), false, 'a retired key does not come back');
    const unused = keyOf({ use: 'WEBHOOK' });
    t.equal(await store.add(unused, undefined), true);
    t.equal(await store.privateKey(demo, unused.kid), undefined, 'uploaded: there is none');
    await store.discard(demo, unused.kid);
    t.equal(await store.activate(demo, unused.kid, later, now), undefined);
  });
}

async function replayContract(t: Test, { replays }: Stores): Promise<void> {
  const digest = (text: string) => master.digest('test', text);
  const use = (id: string, by: string, tenantId = demo, expiresAt = '2026-11-22T10:30:00.000Z') =>
    replays.mayUse(tenantId, digest(id), digest(by), expiresAt);
  t.equal(await use('a', 'one'), true);
  t.equal(await use('a', 'two'), false);
  t.equal(await use('a', 'one'), true, 'a retry');
  t.equal(await use('a', 'two', other), true, 'of another tenant');
  const many = await Promise.all(Array.from({ length: 20 }, (_, by) => use('b', String(by))));
  t.equal(many.filter(Boolean).length, 1, 'of many at once one is the first');
  t.equal(await use('c', 'one', demo, '2026-11-23T10:30:00.000Z'), true);
  t.equal(await replays.purge('2026-11-22T11:00:00.000Z'), 3);
  t.equal(await use('c', 'two'), false, 'not expired');
}

const contracts = { vaultContract, filesContract, keysContract, replayContract };

t.test('memory', async (t) => {
  const table = new MemorySubjectKeys();
  const keys = new MemoryTenantKeyStore(master);
  const vault = () => new MemoryKeyVault(master, clock, table);
  let files: FileStore | undefined;
  const stores: Stores = {
    vault,
    files: (own) => (files ??= new MemoryFileStore(own)),
    keys: () => keys,
    replays: new MemoryReplayGuard(),
  };
  for (const [name, contract] of Object.entries(contracts)) await t.test(name, (t) => contract(t, stores));
});

t.test('postgres', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-vault-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  const pool = new pg.Pool({ connectionString: database.urls.core, max: 4 });
  // An idle connection may hear of the server's end before the pool is closed.
  pool.on('error', () => undefined);
  t.teardown(async () => {
    await pool.end();
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const stores: Stores = {
    vault: () => new PostgresKeyVault(pool, master, clock),
    files: (vault) => new PostgresFileStore(pool, vault),
    keys: () => new PostgresTenantKeyStore(pool, master),
    replays: new PostgresReplayGuard(pool),
  };
  for (const [name, contract] of Object.entries(contracts)) await t.test(name, (t) => contract(t, stores));

  await t.test('hundreds of people are opened by one query, and then by none', async (t) => {
    const vault = new PostgresKeyVault(pool, master, clock);
    const items = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => ({
        tenantId: demo,
        person: await vault.seal(demo, randomUUID(), index),
      })),
    );
    let queries = 0;
    const counting = { query: (...all: unknown[]) => ((queries += 1), pool.query(...(all as [string, unknown[]]))) };
    const fresh = new PostgresKeyVault(counting as unknown as pg.Pool, master, clock);
    t.equal((await fresh.open(items)).length, 400);
    t.equal(queries, 1);
    await fresh.open(items);
    t.equal(queries, 1);
    clock.ms += 5_000;
    await fresh.open(items);
    t.equal(queries, 2, 'trust ends');
  });

  await t.test('nothing secret is in the tables, and they are for the core role alone', async (t) => {
    const { rows } = await pool.query<{ text: string }>(
      `select f::text as text from ledger.stored_files f union all select k::text from ledger.tenant_keys k
       union all select s::text from ledger.subject_keys s`,
    );
    const all = rows.map(({ text }) => text).join('\n');
    for (const secret of ['Ada’s passport.pdf', 'the private half']) {
      t.notOk(all.includes(secret) || all.includes(Buffer.from(secret).toString('hex')), secret);
    }
    for (const table of ['subject_keys', 'stored_files', 'tenant_keys', 'used_once']) {
      for (const role of ['api', 'analyst'] as const) {
        const client = new pg.Client({ connectionString: database.urls[role] });
        await client.connect();
        await t.rejects(client.query(`select 1 from ledger.${table}`), /permission denied/, `${role} ${table}`);
        await client.end();
      }
    }
    await t.rejects(pool.query('delete from ledger.subject_keys'), /permission denied/, 'tombstones stay');
    await t.rejects(pool.query('update ledger.subject_keys set subject_id = tenant_id'), /permission denied/);
    const { rowCount } = await pool.query('delete from ledger.tenant_keys');
    t.equal(rowCount, 0, 'keys that were used stay');
  });

  await t.test('another master secret opens nothing', async (t) => {
    const vault = new PostgresKeyVault(pool, master, clock);
    const person = await vault.seal(demo, randomUUID(), 'Ada');
    const stranger = new HkdfMasterSeal(Buffer.alloc(32, 8));
    await t.rejects(new PostgresKeyVault(pool, stranger, clock).open([{ tenantId: demo, person }]), SealBroken);
    const [key] = await new PostgresTenantKeyStore(pool, master).list(demo, 'JWT');
    await t.rejects(new PostgresTenantKeyStore(pool, stranger).privateKey(demo, key?.kid ?? ''), SealBroken);
  });
});

t.test('master seal', async (t) => {
  t.throws(() => new HkdfMasterSeal(Buffer.alloc(31)), /32 bytes/);
  const sealed = master.seal('mail', Buffer.from('text'));
  t.same(master.open('mail', sealed), Buffer.from('text'));
  t.notSame(master.seal('mail', Buffer.from('text')), sealed);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.throws(() => master.open('mail', changed), SealBroken, `byte ${String(at)}`);
  }
  t.throws(() => master.open('mail2', sealed), SealBroken);
  t.throws(() => master.open('mail', Buffer.alloc(0)), SealBroken);
  t.match(master.digest('email', 'a'), /^[0-9a-f]{64}$/);
  t.equal(master.digest('email', 'a'), new HkdfMasterSeal(Buffer.alloc(32, 9)).digest('email', 'a'));
  t.not(master.digest('email', 'a'), master.digest('otp', 'a'));
});

t.test('passwords', async (t) => {
  const cheap = { memoryKiB: 64, passes: 1, lanes: 1 };
  const hasher = new Argon2Hasher({ ...cheap, concurrency: 2, waiting: 2 });
  const hash = await hasher.hash('Sup3r$ecret!');
  t.match(hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  t.equal(await hasher.verify(hash, 'Sup3r$ecret!'), true);
  t.equal(await hasher.verify(hash, 'sup3r$ecret!'), false);
  t.equal(await hasher.verify('not a hash', 'Sup3r$ecret!'), false);
  t.equal(await hasher.verify(hasher.decoy, 'Sup3r$ecret!'), false);
  t.equal(hasher.isOutdated(hash), false);
  t.equal(hasher.isOutdated(hasher.decoy), false, 'a decoy takes as long as a hash');
  t.equal(hasher.isOutdated('not a hash'), true);
  t.equal(new Argon2Hasher({ ...cheap, passes: 2 }).isOutdated(hash), true);
  const standard = new Argon2Hasher();
  t.match(standard.decoy, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, 'OWASP’s parameters');
  const flood = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.verify(hash, 'x')));
  t.equal(flood.filter(({ status }) => status === 'fulfilled').length, 4, 'two run, two wait');
  for (const one of flood) if (one.status === 'rejected') t.match(one.reason, { name: 'Overloaded' });
  t.equal(await hasher.verify(hash, 'Sup3r$ecret!'), true, 'and then it works again');
});

t.test('key pairs', async (t) => {
  const maker = new NodeKeyPairMaker();
  const [rsa, ec] = await Promise.all([maker.rsa(2048), maker.ec()]);
  t.not(rsa.publicSpki.toString('hex'), ec.publicSpki.toString('hex'));
  const { createPrivateKey, createPublicKey } = await import('node:crypto');
  for (const [pair, type] of [
    [rsa, 'rsa'],
    [ec, 'ec'],
  ] as const) {
    const privateKey = createPrivateKey({ key: pair.privatePkcs8, format: 'der', type: 'pkcs8' });
    t.equal(privateKey.asymmetricKeyType, type);
    t.same(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }), pair.publicSpki);
  }
});
