/** The contract suite of the event log against its adapters, and what only PostgreSQL can be asked. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, type Socket, connect as connectTcp, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Test, test } from 'tap';
import type { EventLog, SealedEvent } from '../../application/ports/event-log.js';
import { isChained } from '../../application/processor/seal.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { openTestDatabase } from '../support/test-database.js';
import { EMPTY, appendAtEnd, collect, endOf, sealAfter, some } from '../support/sealing.js';
import { crowdSuite } from './crowd-suite.js';
import { eventLogSuite } from './event-log-suite.js';

test('memory', async (t) => {
  const first = new MemoryEventLog();
  const connect = () => new MemoryEventLog(first);
  await eventLogSuite(t, { connect, unstorable: { tags: ['a b'] } });
  await crowdSuite(t, { connect });
});

test('postgres', async (t) => {
  const { urls } = await openTestDatabase(t);
  const logs: EventLog[] = [];
  t.teardown(() => Promise.all(logs.map((log) => log.close())));
  const connect = (url = urls.core): PostgresEventLog => {
    const log = new PostgresEventLog({ url, readers: 2 });
    logs.push(log);
    return log;
  };
  const query = async (url: string, sql: string, values: unknown[] = []): Promise<Array<Record<string, unknown>>> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };

  await t.test('contract', (t) =>
    eventLogSuite(t, { connect: () => connect(), unstorable: { effectiveAt: '2026-02-30' } }),
  );
  await t.test('crowd', (t) => crowdSuite(t, { connect: () => connect() }));

  const log = connect();

  await t.test('positions are dense: count = max', async (t) => {
    const [row] = await query(
      urls.owner,
      `select count(*)::int as count, max(position)::int as max, count(distinct (tenant_id, revision))::int as places,
              (select position::int from ledger.log_head) as head,
              (select sum(revision + 1)::int from ledger.log_tenants) as revisions from ledger.events`,
    );
    const { count } = row as { count: number };
    t.ok(count > 5_000);
    t.same(row, { count, max: count, places: count, head: count, revisions: count });
  });

  await t.test('nobody changes or removes an event, not even the owner of the database', async (t) => {
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, some(2));
    const before = await collect(log.read(tenant));
    const attempts = [
      `update ledger.events set data = '{}' where tenant_id = '${tenant}'`,
      `update ledger.events set position = position`,
      `delete from ledger.events where tenant_id = '${tenant}'`,
      `delete from ledger.events where false`,
      `truncate ledger.events`,
      `truncate ledger.events cascade`,
      `merge into ledger.events e using (select 1) s on e.tenant_id = '${tenant}' when matched then delete`,
      `insert into ledger.events select * from ledger.events where tenant_id = '${tenant}' on conflict (tenant_id, revision) do update set data = '{}'`,
    ];
    for (const attempt of attempts) await t.rejects(query(urls.owner, attempt), /append-only/, attempt);
    for (const url of [urls.core, urls.api, urls.analyst]) {
      for (const attempt of attempts) await t.rejects(query(url, attempt), /denied|append-only/, attempt);
    }
    t.strictSame(await collect(log.read(tenant)), before);
  });

  await t.test('the application appends by the one function only', async (t) => {
    for (const url of [urls.core, urls.api, urls.analyst]) {
      for (const attempt of [
        `insert into ledger.events select * from ledger.events limit 1`,
        `update ledger.log_head set position = 0`,
        `delete from ledger.log_head`,
        `update ledger.log_tenants set revision = -1`,
        `insert into ledger.log_tenants select gen_random_uuid(), 0, 0, now(), ''`,
        `delete from ledger.log_tenants`,
        `alter table ledger.events disable trigger all`,
        `drop trigger events_append_only on ledger.events`,
        `create or replace function ledger.refuse_change() returns trigger language plpgsql as 'begin return new; end'`,
      ]) {
        await t.rejects(query(url, attempt), /denied|must be owner/, attempt);
      }
    }
    for (const url of [urls.api, urls.analyst]) {
      await t.rejects(
        query(url, `select * from ledger.append_batches('','','','','','','','','','','','','','','')`),
        /denied/,
      );
    }
  });

  await t.test('the version before may still append while this one starts', async (t) => {
    const tenant = randomUUID();
    const [event] = sealAfter(tenant, EMPTY, some(1)) as [SealedEvent];
    const { id, type, recordedAt, effectiveAt, metaText, dataText, hash } = event;
    const values = [
      tenant,
      '-1',
      EMPTY.hash,
      '1',
      id,
      type,
      '1',
      recordedAt,
      effectiveAt,
      '',
      metaText,
      dataText,
      hash,
    ];
    const call = 'select * from ledger.append_batches($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)';
    t.match(await query(urls.core, call, [...values, '']), [{ status: 'appended', revision: '0' }]);
    t.equal((await collect(log.read(tenant)))[0]?.id, id);
  });

  await t.test('dates are read whatever the session’s date style', async (t) => {
    const odd = connect(
      `${urls.core}?options=${encodeURIComponent('-c datestyle=German,DMY -c timezone=Asia/Kathmandu')}`,
    );
    const tenant = randomUUID();
    await appendAtEnd(odd, tenant, [{ effectiveAt: '2026-02-03', recordedAt: '2026-02-04T22:30:00.007Z' }]);
    for (const reader of [odd, log]) {
      const [event] = await collect(reader.read(tenant));
      t.match(event, { effectiveAt: '2026-02-03', recordedAt: '2026-02-04T22:30:00.007Z' });
      t.ok(event !== undefined && isChained(EMPTY.hash, event));
      t.match(await reader.head(tenant), { recordedAt: '2026-02-04T22:30:00.007Z' });
    }
  });

  const appenders = async (): Promise<number> =>
    (await query(urls.owner, `select 1 from pg_stat_activity where application_name = 'corebook append'`)).length;

  await t.test('lost connections: what was appended is found, what was not is appended once', async (t) => {
    for (const one of logs.splice(0)) await one.close();
    const proxy = await lossyProxy(t, urls.core);
    const own = connect(proxy.url);
    const tenant = randomUUID();
    let end = endOf(EMPTY, await appendAtEnd(own, tenant, some(1)));
    const lose: Record<string, (sending: Promise<unknown>) => Promise<unknown>> = {
      'the answer is lost': async (sending) => {
        proxy.swallowNextAnswer();
        await sending;
      },
      'the request is lost': async (sending) => {
        proxy.swallowNextRequest();
        await sending;
      },
      'the backend is terminated': async (sending) => {
        await query(
          urls.owner,
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'corebook append'`,
        );
        await sending;
      },
    };
    for (let round = 0; round < 4; round += 1) {
      for (const [name, fault] of Object.entries(lose)) {
        const before = sealAfter(tenant, end, some(1));
        const { revision } = end;
        t.match(
          await untilAnswered(() => own.append(tenant, revision, before)),
          { status: 'appended' },
          `${name}: before it`,
        );
        end = await own.head(tenant);
        const from = end;
        const first = sealAfter(tenant, from, some(3));
        const second = sealAfter(tenant, endOf(from, first), some(2));
        end = endOf(endOf(from, first), second);
        const sends = (): Array<() => Promise<unknown>> => [
          () => own.append(tenant, from.revision, first),
          () => own.append(tenant, from.revision + 3, second),
        ];
        let failures = 0;
        const count = (sending: Promise<unknown>) =>
          sending.catch(() => {
            failures += 1;
          });
        await fault(Promise.all(sends().map((send) => count(Promise.resolve().then(send)))));
        if (name !== 'the backend is terminated') t.ok(failures > 0, `${name}: the append failed`);
        // As the writer does: the same appends again, in order.
        for (const [i, send] of sends().entries()) {
          const result = await untilAnswered(send);
          t.match(result, { status: 'appended', lastRevision: from.revision + (i === 0 ? 3 : 5) }, name);
        }
      }
    }
    const events = await collect(own.read(tenant));
    t.equal(events.length, end.revision + 1, 'nothing twice, nothing lost');
    t.ok(events.every((event, i) => isChained(events[i - 1]?.hash ?? EMPTY.hash, event)));
    t.equal(await appenders(), 1, 'no connection is left behind');
    await own.close();
    await until(async () => (await appenders()) === 0);
    t.equal(await appenders(), 0, 'nor after close');
  });

  await t.test('an append that waits for another process’s lock is appended when it is given back', async (t) => {
    const own = connect();
    const tenant = randomUUID();
    await appendAtEnd(own, tenant, some(1));
    const blocker = new pg.Client({ connectionString: urls.owner });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('select * from ledger.log_head for update');
    const appending = appendAtEnd(own, tenant, some(2));
    const before = await own.lastPosition();
    await sleep(50);
    t.equal((await own.head(tenant)).revision, 0, 'readers do not wait');
    t.equal(await own.lastPosition(), before);
    await blocker.query('rollback');
    await blocker.end();
    t.equal((await appending).length, 2);
    t.equal((await own.head(tenant)).revision, 2);
  });
});

/** The same again and again: a terminated server process takes a moment to go. */
async function untilAnswered<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (tries >= 50) throw error;
      await sleep(10);
    }
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await condition()); i += 1) await sleep(20);
}

/** Passes everything on to PostgreSQL, except when it is told to lose something: then it drops the append connection. */
async function lossyProxy(
  t: Test,
  databaseUrl: string,
): Promise<{ url: string; swallowNextAnswer: () => void; swallowNextRequest: () => void }> {
  let lose: 'answer' | 'request' | undefined;
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connectTcp(Number(target.port), target.hostname);
    let appends = false;
    const drop = (): void => {
      lose = undefined;
      client.destroy();
      server.destroy();
    };
    client.on('data', (data) => {
      // The start-up message names the application.
      appends ||= data.includes('corebook append');
      if (appends && lose === 'request') drop();
      else server.write(data);
    });
    server.on('data', (data) => {
      if (appends && lose === 'answer') drop();
      else client.write(data);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const url = new URL(databaseUrl);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    swallowNextAnswer: () => {
      lose = 'answer';
    },
    swallowNextRequest: () => {
      lose = 'request';
    },
  };
}
