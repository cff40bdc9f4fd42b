import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import tap, { type Test } from 'tap';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { readRegister } from '../../infrastructure/security/erasure-register.js';
import { corebook } from '../support/command-line.js';
import {
  PERSON,
  type Running,
  TENANT_ID,
  USERS,
  askEverything,
  dumpOf,
  live,
  openServer,
  scratchDirectory,
  send,
  tellingTables,
} from '../support/erasable-person.js';

/** Whoever is erased stays erased, although the backup that is restored is older and has his key. */
const REFUSED = 3;

tap.setTimeout(280_000);

async function setHome(server: Running, home: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.core.urls.owner });
  await client.connect();
  await client.query('update ledger.log_head set home = $1', [home]);
  await client.end();
}

async function nowhere(t: Test, server: Running, person: Awaited<ReturnType<typeof live>>): Promise<void> {
  t.same(tellingTables(await dumpOf(server)), {}, 'no row of any table yields him');
  for (const token of person.tokens)
    t.equal((await send(server, `${USERS}/profile`, { token })).status, 401, 'his tokens are good for nothing');
  const key = await server.core.pool.query('select wrapped from ledger.subject_keys where subject_id = $1', [
    person.id,
  ]);
  t.same(key.rows, [{ wrapped: null }], 'his key is destroyed');
  const there = await server.core.pool.query('select from ledger.credentials where user_id = $1', [person.id]);
  t.equal(there.rowCount, 0, 'he cannot log in');
}

tap.test('a backup from before an erasure does not bring the person back', async (t) => {
  const dataDir = await scratchDirectory(t);
  const target = await scratchDirectory(t);
  const server = await openServer(t, dataDir);
  const person = await live(server, t);
  await server.core.caughtUp();
  t.ok((await askEverything(server, person, ['MANAGER'])).length > 0, 'he is found before');
  const early = join(dataDir, 'early.backup');
  t.equal((await corebook({ DATA_DIR: dataDir }, 'backup', 'create', early).done).code, 0);
  // As with LOG_URL=esdb://…: the log in the database is a copy, which a restore may not add to.
  await setHome(server, 'eventstoredb');
  const copyOnly = join(dataDir, 'copy.backup');
  t.equal((await corebook({ DATA_DIR: dataDir }, 'backup', 'create', copyOnly).done).code, 0);
  await setHome(server, 'postgres');
  const oldRegister = join(dataDir, 'erasures.old');
  await copyFile(join(dataDir, 'erasures.jsonl'), oldRegister);

  const manager = await server.token('MANAGER');
  const legalBasis = 'GDPR Art. 17(1)(a)';
  const reply = await send(server, `${USERS}/erase-person/${person.code}`, { body: { legalBasis }, token: manager });
  t.equal(reply.status, 200, reply.text);
  const register = join(dataDir, 'erasures.jsonl');
  const [entry, ...others] = (await readRegister(register))?.erasures ?? [];
  t.match(
    entry,
    { tenantId: TENANT_ID, kind: 'customer', id: person.id, legalBasis },
    'registered when it was answered',
  );
  t.same(others, []);
  t.notMatch(await readFile(register, 'utf8'), new RegExp(PERSON.lastName));
  const late = join(dataDir, 'late.backup');
  t.equal((await corebook({ DATA_DIR: dataDir }, 'backup', 'create', late).done).code, 0);
  await server.close();

  for (const name of ['master-secret', 'token-secret']) await copyFile(join(dataDir, name), join(target, name));
  const env = { DATA_DIR: target };
  const restore = async (file: string, ...more: string[]) => corebook(env, 'backup', 'restore', file, ...more).done;

  await t.test('a register that is older than the backup is refused, or broken', async (t) => {
    const refused = await restore(late, '--erasures', oldRegister);
    t.equal(refused.code, REFUSED);
    t.match(refused.errors, /older than the backup: it lacks 1/);
    const torn = join(dataDir, 'torn');
    await writeFile(torn, (await readFile(register, 'utf8')).slice(0, -20));
    const broken = await restore(late, '--erasures', torn);
    t.not(broken.code, 0);
    t.match(broken.errors, /torn:\d is no erasure/);
    const begunLater = join(dataDir, 'later');
    const text = await readFile(register, 'utf8');
    await writeFile(begunLater, text.replace(/"completeSince":"\d{4}/, '"completeSince":"2999'));
    const younger = await restore(early, '--erasures', begunLater);
    t.equal(younger.code, REFUSED, 'a register that was begun after the backup does not know either');
    t.match(younger.errors, /No register of erasures goes back to it/);
    await writeFile(begunLater, text.replace(/"installation":"\w{4}/, '"installation":"0000'));
    t.equal((await restore(early, '--erasures', begunLater)).code, REFUSED, 'nor does one of another installation');
  });

  await t.test('with the log in PostgreSQL', async (t) => {
    const { code, errors, json } = await restore(early, '--erasures', register);
    t.equal(code, 0, errors);
    t.match(json, { erasures: { stated: 1, unstated: 0, known: 0 } });
    const revived = await openServer(t, target);
    await nowhere(t, revived, person);
    t.same(await askEverything(revived, person, ['MANAGER', 'CUSTOMER']), [], 'no endpoint yields him');
    t.match(await revived.core.readModels.customer(TENANT_ID, person.id), { status: 'ERASED', person: undefined });
    const erased = await revived.core.pool.query<{ data: string }>(
      `select data from ledger.events where type = 'customer-erased'`,
    );
    t.match(JSON.parse(erased.rows[0]?.data ?? '{}'), { customer: person.id, legalBasis }, 'for the same reason');
    t.match(
      (await readRegister(join(target, 'erasures.jsonl')))?.erasures,
      [{ id: person.id }],
      'the new register has him too',
    );
    await revived.close();
  });

  await t.test('with a copy of a log that is kept elsewhere', async (t) => {
    const { code, errors, json } = await restore(copyOnly, '--replace');
    t.equal(code, 0, errors);
    t.match(json, { erasures: { stated: 0, unstated: 1 } });
    t.equal((await corebook(env, 'backup', 'clean').done).code, 0);
    // The event store itself is not here: its copy is opened as the log, to ask what an API would.
    const database = await openDatabase({ dataDir: target, log: () => undefined });
    const client = new pg.Client({ connectionString: database.urls.owner });
    await client.connect();
    t.same((await client.query('select home from ledger.log_head')).rows, [{ home: 'eventstoredb' }]);
    await client.query(`update ledger.log_head set home = 'postgres'`);
    await client.end();
    const revived = await openServer(t, target);
    await nowhere(t, revived, person);
    t.same(await askEverything(revived, person, ['MANAGER']), [], 'no endpoint yields him');
    await revived.close();
    await database.close();
  });

  await t.test('and by other means: brought back whole, then erased again before it serves', async (t) => {
    const elsewhere = await scratchDirectory(t);
    for (const name of ['master-secret', 'token-secret']) await copyFile(join(dataDir, name), join(elsewhere, name));
    const there = { DATA_DIR: elsewhere };
    const { code, errors } = await corebook(there, 'backup', 'restore', early, '--accept-missing-erasures').done;
    t.equal(code, 0, errors);
    const { code: erased, json } = await corebook(there, 'backup', 'erase-again', '--erasures', register).done;
    t.equal(erased, 0);
    t.match(json, { stated: 1, unstated: 0, known: 0 }, 'he was back');
    const revived = await openServer(t, elsewhere);
    await nowhere(t, revived, person);
    await revived.close();
  });
});
