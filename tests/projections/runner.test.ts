/** The runner, the feed and rebuilds on the memory store: exactly once, parking, several processes, switching. */
import { test } from 'tap';
import { ChangesRejected, type ReadStore } from '../../application/ports/read-store.js';
import type { EventLog, StoredEvent } from '../../application/ports/event-log.js';
import { UnknownEvent } from '../../domain/event-types.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createProjection, createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { PollingPositions } from '../../projections/polling-positions.js';
import type { Projection } from '../../projections/projection.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { ProjectionRunner } from '../../projections/runner.js';
import type { RunnerOptions } from '../../projections/runner-options.js';
import { busyBook } from '../support/busy-book.js';
import { TENANT, Teller, accountId, append, opened } from '../support/given-events.js';

/** A clock that stands until it is told otherwise; sleeps last until then. */
class HandClock {
  ms = 1_000_000;
  readonly #sleeping = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  nowMs = (): number => this.ms;
  turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.ms + ms, wake: resolve };
      this.#sleeping.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleeping.delete(sleeper);
        reject(signal.reason as Error);
      });
    });
  pass(ms: number): void {
    this.ms += ms;
    for (const sleeper of this.#sleeping) {
      if (sleeper.untilMs > this.ms) continue;
      this.#sleeping.delete(sleeper);
      sleeper.wake();
    }
  }
}

function runnerOn(
  log: EventLog,
  store: ReadStore,
  more: { projections?: Projection[]; options?: Partial<RunnerOptions>; clock?: HandClock } = {},
) {
  const clock = more.clock ?? new HandClock();
  const seen = { stale: 0, parked: [] as string[], batches: [] as Array<[string, number]> };
  const runner = new ProjectionRunner(
    {
      projections: more.projections ?? createProjections(),
      store,
      feed: new EventFeed(log, clock),
      clock,
      observer: {
        stale: () => (seen.stale += 1),
        parked: (name) => seen.parked.push(name),
        batch: (name, { events }) => seen.batches.push([name, events]),
      },
    },
    more.options,
  );
  return { runner, clock, seen };
}

async function settle({ runner, clock }: ReturnType<typeof runnerOn>): Promise<void> {
  for (let quiet = 0; quiet < 3;) {
    quiet = (await runner.step()).moved ? 0 : quiet + 1;
    clock.pass(1_000);
  }
}

const tablesOf = (store: MemoryReadStore): unknown =>
  createProjections().flatMap(({ tables }) => tables.map(({ name }) => [name, store.rows(name)]));

async function prepared(projections: readonly Projection[] = createProjections()): Promise<MemoryReadStore> {
  const store = new MemoryReadStore();
  await store.prepare(projections);
  return store;
}

/** The rows as one undisturbed runner makes them. */
async function expectedRows(log: EventLog): Promise<unknown> {
  const store = await prepared();
  await settle(runnerOn(log, store));
  return tablesOf(store);
}

test('exactly once', async (t) => {
  const { log } = await busyBook('once');
  const expected = await expectedRows(log);

  t.test('with two runners that get in each other’s way', async (t) => {
    const store = await prepared();
    const first = runnerOn(log, store, { options: { maxBatch: 5 } });
    const second = runnerOn(log, store, { options: { maxBatch: 3 } });
    for (let i = 0; i < 500; i += 1) {
      await Promise.all([first.runner.step(), second.runner.step()]);
      first.clock.pass(150);
      second.clock.pass(70);
    }
    t.strictSame(tablesOf(store), expected);
    t.ok(first.seen.stale + second.seen.stale > 0, 'they did meet');
    for (const { runner } of [first, second]) {
      t.ok(await runner.waitFor(await log.lastPosition(), 0), 'both know that all is done');
      t.ok(runner.status().every(({ lagEvents, status }) => lagEvents === 0 && status === 'running'));
    }
  });
  t.test('when answers of the store are lost', async (t) => {
    const inner = await prepared();
    let calls = 0;
    const store: ReadStore = Object.assign(Object.create(inner) as MemoryReadStore, {
      async apply(...args: Parameters<ReadStore['apply']>) {
        calls += 1;
        if (calls % 5 === 1) throw new Error('before');
        const result = await inner.apply(...args);
        if (calls % 5 === 3) throw new Error('after');
        return result;
      },
    });
    for (const name of ['states', 'load', 'park', 'unpark'] as const) {
      Object.assign(store, { [name]: (inner[name] as (...args: never[]) => unknown).bind(inner) });
    }
    const { runner, clock } = runnerOn(log, store, { options: { maxBatch: 4 } });
    let failures = 0;
    for (let i = 0; i < 600; i += 1) {
      await runner.step().catch((error: Error) => {
        if (!['before', 'after'].includes(error.message)) throw error;
        failures += 1;
      });
      clock.pass(300);
    }
    t.ok(failures > 10, `${failures} failures`);
    t.strictSame(tablesOf(inner), expected);
  });
  t.test('when a runner is restarted after any step', async (t) => {
    const store = await prepared();
    for (let i = 0; i < 60; i += 1) await runnerOn(log, store, { options: { maxBatch: 3 } }).runner.step();
    t.strictSame(tablesOf(store), expected);
  });
});

test('an event at fault parks its projection just before it; the others go on', async (t) => {
  const log = new MemoryEventLog();
  const teller = new Teller();
  const sound = Array.from({ length: 20 }, () => teller.entry(1, 2, 1n));
  const spoiled = teller.entry(1, 2, 7n);
  const [debit, credit] = (spoiled.data as { lines: object[] }).lines;
  Object.assign(debit as object, { amount: '6', balance: '-26' });
  Object.assign(credit as object, { sequence: 21 });
  await append(log, [opened(1), opened(2), ...sound, spoiled, teller.entry(2, 1, 1n)]);
  const store = await prepared();
  const run = runnerOn(log, store);
  await settle(run);

  const status = new Map(run.runner.status().map((one) => [one.name, one]));
  for (const name of ['accounts', 'entries']) {
    t.match(status.get(name), {
      status: 'parked',
      checkpoint: '22',
      lagEvents: 2,
      error: /does not balance.*entry-posted .*revision 22/,
    });
  }
  for (const name of ['history', 'aggregate-states', 'holds', 'tenants']) {
    t.match(status.get(name), { status: 'running', checkpoint: '24', lagEvents: 0, lagSeconds: 0 });
  }
  t.match(store.row('accounts', TENANT, accountId(1)), { ledger: -20n, sequence: 20 });
  t.equal(store.rows('entries').length, 40);
  t.strictSame(run.seen.parked.sort(), ['accounts', 'entries']);
  t.strictSame(
    (await store.states())
      .filter((state) => state.status === 'parked')
      .map((state) => state.name)
      .sort(),
    ['accounts', 'entries'],
  );
  t.equal(await run.runner.waitFor('23', 60_000), false, 'who waits for it is told at once');
  t.equal(await run.runner.waitFor('22', 60_000), true);
  const polling = new PollingPositions({ projections: createProjections(), store, log, clock: run.clock });
  t.equal(await polling.waitFor('22', 0), true);
  t.equal(await polling.waitFor('23', 60_000), false);

  t.test('a restart tries once, and parks again', async (t) => {
    const again = runnerOn(log, store);
    await settle(again);
    t.strictSame(again.seen.parked.sort(), ['accounts', 'entries']);
  });
  t.test('unparked (by anybody, in the store), it tries again, and mended code goes on', async (t) => {
    const mended = createProjections().map((projection) =>
      projection.name === 'accounts'
        ? {
            ...projection,
            project: (events: Parameters<Projection['project']>[0], loaded: Parameters<Projection['project']>[1]) => {
              if (broken && events.some(({ revision }) => revision === 22)) throw new Error('still broken');
              return projection.project(
                events.filter(({ revision }) => revision < 22),
                loaded,
              );
            },
          }
        : projection,
    );
    let broken = true;
    const again = runnerOn(log, store, { projections: mended });
    await settle(again);
    t.match(
      again.runner.status().find(({ name }) => name === 'accounts'),
      { status: 'parked', error: /still broken/ },
    );
    broken = false;
    await settle(again);
    t.match(
      again.runner.status().find(({ name }) => name === 'accounts'),
      { status: 'parked' },
      'not by itself',
    );
    t.equal(await store.unpark('accounts'), true);
    await settle(again);
    t.match(
      again.runner.status().find(({ name }) => name === 'accounts'),
      { status: 'running', checkpoint: '24', error: null },
    );
    t.equal(await store.unpark('accounts'), false);
    broken = true;
    t.equal(await again.runner.unpark('entries'), true);
    await settle(again);
    t.match(
      again.runner.status().find(({ name }) => name === 'entries'),
      { status: 'parked' },
    );
  });
});

test('changes that the store refuses park too', async (t) => {
  const log = new MemoryEventLog();
  await append(log, [
    opened(1),
    { type: 'account-closed', data: { account: accountId(1) } },
    { type: 'account-closed', data: { account: accountId(2) } },
  ]);
  const store = await prepared();
  const run = runnerOn(log, store);
  await settle(run);
  t.match(
    run.runner.status().find(({ name }) => name === 'accounts'),
    { status: 'parked', checkpoint: '2', error: /a row to change is not there/ },
  );
  t.equal(store.rows('accounts')[0]?.['status'], 'CLOSED');
});

test('an event that this code cannot read parks everything just before it', async (t) => {
  const inner = new MemoryEventLog();
  await append(inner, [opened(1), opened(2), opened(3)]);
  const bad = '3';
  const log: EventLog = Object.assign(Object.create(inner) as MemoryEventLog, {
    async readAll(options: { after: string; limit: number }) {
      const events = await inner.readAll(options);
      if (events.some(({ position }) => position === bad)) throw new UnknownEvent('unknown event type of-the-future');
      return events;
    },
    lastPosition: () => inner.lastPosition(),
    distance: (a: string, b: string) => inner.distance(a, b),
    comparePositions: (a: string, b: string) => inner.comparePositions(a, b),
  });
  const store = await prepared();
  const run = runnerOn(log, store);
  await settle(run);
  for (const status of run.runner.status()) {
    t.match(status, { status: 'parked', checkpoint: '2', error: /unknown event type of-the-future/ }, status.name);
  }
  t.equal(store.rows('accounts').length, 2);
});

test('feed', async (t) => {
  const inner = new MemoryEventLog();
  const teller = new Teller();
  await append(
    inner,
    Array.from({ length: 30 }, () => teller.entry(1, 2, 1n)),
  );
  const all = await inner.readAll({ after: '', limit: 100 });
  const counting = () => {
    const reads: string[] = [];
    const log: EventLog = Object.assign(Object.create(inner) as MemoryEventLog, {
      readAll(options: { after: string; limit: number }) {
        reads.push(options.after);
        return inner.readAll(options);
      },
      lastPosition: () => inner.lastPosition(),
      distance: (a: string, b: string) => inner.distance(a, b),
      comparePositions: (a: string, b: string) => inner.comparePositions(a, b),
    });
    return { reads, feed: new EventFeed(log, new HandClock()) };
  };
  const positions = (events: readonly StoredEvent[]): string[] => events.map(({ position }) => position);
  const from = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(first + i));

  t.test('published events are not read back', async (t) => {
    const { reads, feed } = counting();
    feed.publish(all.slice(0, 10));
    feed.publish(all.slice(10, 20));
    t.strictSame(positions(await feed.read('', 15)), from(1, 15));
    t.strictSame(positions(await feed.read('15', 15)), from(16, 5));
    t.strictSame(reads, []);
    t.strictSame(positions(await feed.read('20', 100, false)), [], 'without asking nothing more is known');
    t.strictSame(positions(await feed.read('20', 100)), from(21, 10));
    t.strictSame(reads, ['20']);
  });
  t.test('in any order, more than once, with a gap that the log fills', async (t) => {
    const { reads, feed } = counting();
    feed.publish(all.slice(0, 5));
    feed.publish(all.slice(15, 20));
    feed.publish(all.slice(10, 15));
    feed.publish(all.slice(10, 12));
    t.strictSame(positions(await feed.read('', 100)), from(1, 5));
    t.strictSame(positions(await feed.read('5', 3, false)), from(6, 3), 'what others appended is read');
    t.strictSame(positions(await feed.read('8', 2, false)), from(9, 2));
    t.strictSame(positions(await feed.read('10', 100)), from(11, 10), 'and what waited follows');
    t.strictSame(reads, ['5', '8']);
  });
  t.test('a start in the middle, and readers far apart', async (t) => {
    const { reads, feed } = counting();
    feed.publish(all.slice(25, 30));
    t.strictSame(positions(await feed.read('', 10)), from(1, 10));
    t.strictSame(positions(await feed.read('', 4)), from(1, 4));
    t.strictSame(positions(await feed.read('25', 10)), from(26, 5));
    t.strictSame(positions(await feed.read('10', 20)), from(11, 20));
    t.strictSame(reads, ['', '10']);
  });
  t.test('projections at the same place share one read', async (t) => {
    const { reads, feed } = counting();
    const answers = await Promise.all([feed.read('3', 7), feed.read('3', 7), feed.read('3', 7)]);
    t.strictSame(answers.map(positions), [from(4, 7), from(4, 7), from(4, 7)]);
    t.strictSame(reads, ['3']);
  });
});

test('waiting for a position', async (t) => {
  const log = new MemoryEventLog();
  await append(log, [opened(1)]);
  const run = runnerOn(log, await prepared());
  const late = run.runner.waitFor('1', 100);
  run.clock.pass(100);
  t.equal(await late, false, 'bounded');
  const waiting = run.runner.waitFor('1', 100);
  await settle(run);
  t.equal(await waiting, true);
  const next = run.runner.waitFor('2', 10_000);
  const events = await append(log, [opened(2)]);
  run.runner.publish(events);
  await run.runner.step({ poll: false });
  t.equal(await next, true, 'told by the step that reached it');
});

test('run', async (t) => {
  const { log } = await busyBook('run');
  const store = await prepared();
  const feed = new EventFeed(log, systemClock);
  const failed: unknown[] = [];
  let broken = true;
  const flaky: ReadStore = Object.assign(Object.create(store) as MemoryReadStore, {
    states: () => (broken ? Promise.reject(new Error('no database')) : store.states()),
    load: store.load.bind(store),
    apply: store.apply.bind(store),
    park: store.park.bind(store),
  });
  const runner = new ProjectionRunner({
    projections: createProjections(),
    store: flaky,
    feed,
    clock: systemClock,
    observer: { failed: (error) => failed.push(error) },
  });
  const stopping = new AbortController();
  const running = runner.run(stopping.signal);
  await systemClock.sleep(150);
  t.ok(failed.length >= 1, 'errors that pass are waited out');
  broken = false;
  t.equal(await runner.waitFor(await log.lastPosition(), 10_000), true);
  while (runner.status().some(({ lagEvents }) => lagEvents > 0)) await systemClock.sleep(10);
  t.strictSame(tablesOf(store), await expectedRows(log));
  const events = await append(log, [{ ...opened(90), tenantId: accountId(1) }]);
  runner.publish(events);
  t.equal(await runner.waitFor(await log.lastPosition(), 5_000), true, 'woken by what is published');
  await append(log, [{ ...opened(91), tenantId: accountId(1) }]);
  t.equal(await runner.waitFor(await log.lastPosition(), 5_000), true, 'and by looking into the log');
  stopping.abort();
  await running;
  t.ok(runner.status().every(({ status, generation }) => status === 'running' && generation === 1));
});

test('a clock that is set back by a day holds nothing up', async (t) => {
  const { log } = await busyBook('set-back');
  const store = await prepared();
  let offsetMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };
  const feed = new EventFeed(log, clock);
  const runner = new ProjectionRunner({ projections: createProjections(), store, feed, clock });
  const stopping = new AbortController();
  const running = runner.run(stopping.signal);
  t.equal(await runner.waitFor(await log.lastPosition(), 10_000), true);
  for (offsetMs of [-86_400_000, -2 * 86_400_000]) {
    await append(log, [{ ...opened(90 - offsetMs / 86_400_000), tenantId: accountId(1) }]);
    t.equal(await runner.waitFor(await log.lastPosition(), 5_000), true, 'found in the log');
  }
  stopping.abort();
  await running;
});

test('rebuild', async (t) => {
  const book = await busyBook('rebuild');
  const { log } = book;

  t.test('gives the same rows, and the runner goes on with them', async (t) => {
    const store = await prepared();
    const run = runnerOn(log, store);
    await settle(run);
    const before = tablesOf(store);
    for (const { name } of createProjections()) {
      const progress: Array<[number, number]> = [];
      const result = await rebuildProjection({
        projection: createProjection(name) as Projection,
        store,
        log,
        batchEvents: 10,
        progress: (done, total) => progress.push([done, total]),
      });
      const total = log.distance('', await log.lastPosition());
      t.match(result, { name, generation: 2, events: total });
      t.strictSame(progress.at(-1), [total, total]);
      t.ok(progress.length > 5);
    }
    t.strictSame(tablesOf(store), before);
    await book.transfer(0, 1, 3n);
    await settle(run);
    t.strictSame(tablesOf(store), await expectedRows(log));
    t.ok(run.runner.status().every(({ generation, status }) => generation === 2 && status === 'running'));
    t.equal((await store.states()).length, createProjections().length, 'old builds are gone');
  });
  t.test('while the live one moves on: readers never see less than they saw', async (t) => {
    const store = await prepared();
    const run = runnerOn(log, store);
    await settle(run);
    let least = 0;
    let looks = 0;
    const reading = new AbortController();
    const reader = (async () => {
      while (!reading.signal.aborted) {
        const rows = store.rows('entries').length;
        if (rows < least) throw new Error(`${rows} lines after ${least}`);
        least = rows;
        looks += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const writing = (async () => {
      for (let i = 0; i < 30; i += 1) {
        await book.transfer(i % 2, (i + 1) % 2, 1n);
        await run.runner.step();
        run.clock.pass(500);
      }
    })();
    for (let i = 0; i < 3; i += 1) {
      await rebuildProjection({ projection: createProjection('entries') as Projection, store, log, batchEvents: 3 });
    }
    await writing;
    reading.abort();
    await reader;
    await settle(run);
    t.ok(looks > 20 && least > 40, `${looks} looks, ${least} lines`);
    t.strictSame(tablesOf(store), await expectedRows(log));
  });
  t.test('a new version is built beside the old one and goes live in one moment', async (t) => {
    const store = await prepared();
    await settle(runnerOn(log, store));
    const next = (): Projection[] =>
      createProjections().map((one) => (one.name === 'holds' ? { ...one, version: 2 } : one));
    await store.prepare(next());
    const run = runnerOn(log, store, { projections: next() });
    await settle(run);
    t.match(
      run.runner.status().find(({ name }) => name === 'holds'),
      { status: 'rebuilding', generation: 0 },
    );
    t.ok(store.rows('holds').length > 0, 'the old one is there to read');
    const holds = next().find(({ name }) => name === 'holds') as Projection;
    t.match(await rebuildProjection({ projection: holds, store, log }), { version: 2, generation: 2 });
    await book.transfer(0, 1, 3n);
    await settle(run);
    t.match(
      run.runner.status().find(({ name }) => name === 'holds'),
      { status: 'running', version: 2, checkpoint: await log.lastPosition() },
    );
    const old = runnerOn(log, store);
    await settle(old);
    t.match(
      old.runner.status().find(({ name }) => name === 'holds'),
      { status: 'rebuilding' },
      'code of the old version stands aside',
    );
  });
  t.test('one that was stopped goes on where it was; one that fails changes nothing', async (t) => {
    const store = await prepared();
    await settle(runnerOn(log, store));
    const stop = new AbortController();
    const stopped = rebuildProjection({
      projection: createProjection('entries') as Projection,
      store,
      log,
      batchEvents: 10,
      signal: stop.signal,
      progress: (done) => done >= 30 && stop.abort(),
    });
    await t.rejects(stopped, { name: 'AbortError' });
    t.match(
      (await store.states()).find((state) => state.status === 'rebuilding'),
      { name: 'entries', checkpoint: '30' },
    );
    const total = log.distance('', await log.lastPosition());
    const result = await rebuildProjection({ projection: createProjection('entries') as Projection, store, log });
    t.equal(result.events, total - 30);
    t.strictSame(tablesOf(store), await expectedRows(log));

    const before = await store.states();
    const failing = {
      ...(createProjection('entries') as Projection),
      project: () => {
        throw new ChangesRejected('no');
      },
    };
    await t.rejects(rebuildProjection({ projection: failing, store, log }), { message: 'no' });
    t.strictSame(
      (await store.states()).filter((state) => state.status !== 'rebuilding'),
      before,
    );
    t.strictSame(tablesOf(store), await expectedRows(log));
    t.equal(await store.dropRetired({ unfinished: true }), 1);
  });
});
