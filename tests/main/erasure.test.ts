import tap from 'tap';
import { auditAll } from '../../application/audit/audit-all.js';
import { exportJournal } from '../../application/ledger/export-journal.js';
import { PostgresBookQueries } from '../../infrastructure/postgres/book-queries.js';
import { PostgresEventScan } from '../../infrastructure/postgres/event-scan.js';
import { createProjections } from '../../projections/catalogue.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { createReadStore } from '../../main/read-side.js';
import {
  PASSWORD,
  PERSON,
  TENANT_ID,
  USERS,
  askEverything,
  dumpOf,
  found,
  live,
  openServer,
  scratchDirectory,
  send,
  tellingTables,
} from '../support/erasable-person.js';

/** The whole server on a real database: after an erasure nothing anywhere yields the person, and the chain holds. */
tap.setTimeout(280_000);

tap.test('an erased person is nowhere', async (t) => {
  const server = await openServer(t, await scratchDirectory(t));
  const { core } = server;
  const person = await live(server, t);
  await core.caughtUp();

  const before = tellingTables(await dumpOf(server));
  t.ok(
    Object.keys(before).some((name) => name.includes('customers')),
    'the search finds him where he may be',
  );
  t.notOk(
    Object.keys(before).some((name) => name.includes('events')),
    `never in the log: ${JSON.stringify(before)}`,
  );
  t.ok((await askEverything(server, person, ['MANAGER'])).length > 0, 'and so does asking');
  t.same(found(server.logged()), [], 'log lines never had him');

  const manager = await server.token('MANAGER');
  const reply = await send(server, `${USERS}/erase-person/${person.code}`, {
    body: { legalBasis: 'GDPR Art. 17(1)(a)' },
    token: manager,
  });
  t.equal(reply.status, 200, reply.text);
  t.match(reply.data, { id: person.id, status: 'ERASED' });
  for (const token of person.tokens) {
    t.equal(
      (await send(server, `${USERS}/profile`, { token })).status,
      401,
      'his tokens are good for nothing, at once',
    );
  }
  await core.caughtUp();

  t.same(await askEverything(server, person), [], 'no endpoint yields him');
  t.same(tellingTables(await dumpOf(server)), {}, 'no row of any table yields him');
  t.same(found(server.logged()), [], 'no log line yields him');
  let journal = '';
  for await (const piece of exportJournal({ log: core.log, tenantId: TENANT_ID })) journal += piece;
  t.same(found(journal), [], 'no export yields him');
  let events = '';
  for await (const event of core.log.read(TENANT_ID, {})) events += JSON.stringify(event);
  t.same(found(events), [], 'no event yields him');

  const book = new PostgresBookQueries(core.pool);
  const { log, readModels, clock } = core;
  const audit = await auditAll({ log, readModels, book, census: book, clock }, { tenantIds: [TENANT_ID] });
  t.ok(audit.ok, `audit verify passes: ${JSON.stringify(audit.tenants)}`);

  await t.test('nor after every read model is built anew', async (t) => {
    const store = createReadStore(core.urls);
    const scan = new PostgresEventScan({ url: core.urls.core });
    for (const projection of createProjections()) {
      await rebuildProjection({ projection, store, log, scan, vault: core.identity.vault });
    }
    await scan.close();
    await store.close();
    t.same(tellingTables(await dumpOf(server)), {});
    t.same(await askEverything(server, person, ['MANAGER', 'AUDITOR']), []);
  });

  await t.test('and he may come back as a stranger', async (t) => {
    const again = {
      customerType: 'INDIVIDUAL',
      payloadEncrypted: false,
      ...PERSON,
      password: PASSWORD,
      confirmPassword: PASSWORD,
    };
    const { status, data, text } = await send(server, `${USERS}/register-customer`, { body: again });
    t.equal(status, 200, text);
    t.not(data['id'], person.id);
  });
});
