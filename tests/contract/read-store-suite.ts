import type { Test } from 'tap';
import type {
  ProjectionTables,
  ReadStore,
  Row,
  TableChanges,
  TableDefinition,
  Target,
} from '../../application/ports/read-store.js';
import { tenantIdOf } from '../../domain/shared/ids.js';

const T1 = tenantIdOf('first');
const T2 = tenantIdOf('second');

const THINGS: TableDefinition = {
  name: 'suite_things',
  comment: "a test's things",
  columns: {
    tenant_id: 'uuid',
    id: 'text',
    label: 'text',
    note: 'text',
    amount: 'numeric',
    small: 'int',
    big: 'bigint',
    at: 'timestamptz',
    day: 'date',
    flag: 'bool',
  },
  key: ['tenant_id', 'id'],
  nullable: ['note', 'at', 'day', 'amount'],
  indexes: [{ columns: ['tenant_id', 'label'], where: 'note is null' }],
  fillFactor: 70,
};
const SUMS: TableDefinition = {
  name: 'suite_sums',
  comment: 'sums',
  columns: {
    tenant_id: 'uuid',
    id: 'int',
    total: 'numeric',
    n: 'bigint',
    low: 'bigint',
    high: 'bigint',
    first: 'text',
  },
  key: ['tenant_id', 'id'],
  merge: { total: 'sum', n: 'sum', low: 'min', high: 'max' },
};
const LINES: TableDefinition = {
  name: 'suite_lines',
  comment: 'lines',
  columns: { tenant_id: 'uuid', n: 'bigint' },
  key: ['tenant_id', 'n'],
  indexes: [{ columns: ['n'] }],
  appendOnly: true,
};

export const SUITE: ProjectionTables = { name: 'suite', version: 1, tables: [THINGS, SUMS, LINES] };
const LIVE: Target = { projection: SUITE, generation: 1 };

function change(table: TableDefinition, part: Partial<TableChanges>): TableChanges {
  return { table: table.name, inserts: [], puts: [], patches: [], additions: [], ...part };
}

function thing(id: string, more: Row = {}): Row {
  const row = {
    tenant_id: T1,
    id,
    label: 'a',
    note: null,
    amount: 1n,
    small: 1,
    big: 1,
    at: null,
    day: null,
    flag: true,
  };
  return { ...row, ...more };
}

/** What every read store must do. Each case starts where the one before it ended: as a projection's life is. */
export async function readStoreSuite(t: Test, store: ReadStore): Promise<void> {
  let checkpoint = '';
  let counter = 0;
  const apply = async (...changes: TableChanges[]): Promise<void> => {
    counter += 1;
    const next = String(counter);
    t.equal(await store.apply(LIVE, checkpoint, next, changes), 'applied');
    checkpoint = next;
  };
  const refused = async (what: string, ...changes: TableChanges[]): Promise<void> => {
    await t.rejects(store.apply(LIVE, checkpoint, 'refused', changes), { name: 'ChangesRejected' }, what);
    t.equal((await stateOf(1))?.checkpoint, checkpoint, `${what}: the checkpoint stands`);
  };
  const stateOf = async (generation: number) =>
    (await store.states()).find((state) => state.name === SUITE.name && state.generation === generation);
  const things = async (...ids: string[]): Promise<readonly Row[]> => {
    const rows = await store.load(
      LIVE,
      THINGS.name,
      ids.map((id) => ({ tenant_id: T1, id })),
    );
    return [...rows].sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
  };

  await t.test('prepare makes tables once and touches nothing afterwards', async (t) => {
    await store.prepare([SUITE]);
    t.match(await stateOf(1), { name: 'suite', version: 1, checkpoint: '', status: 'running', error: null });
    await apply(change(THINGS, { inserts: [thing('1')] }));
    await store.prepare([SUITE]);
    await store.prepare([{ ...SUITE, version: 2 }]);
    t.equal((await store.states()).filter(({ name }) => name === 'suite').length, 1);
    t.strictSame(await things('1'), [thing('1')]);
  });

  await t.test('values come back as they went in', async (t) => {
    const rows = [
      thing('2', {
        note: 'n',
        amount: -123456789012345678901234567890123n,
        small: -2_147_483_648,
        big: 9_007_199_254_740_991,
        at: '2026-03-01T12:00:00.120Z',
        day: '2024-02-29',
        flag: false,
      }),
      thing('3', { label: '', note: '' }),
      thing('4', { label: `quote ' " \\ {a,b} NULL null \n\t`, note: 'é 漢 🎉' }),
    ];
    await apply(change(THINGS, { inserts: rows }));
    t.strictSame(await things('2', '3', '4', 'none'), rows);
    const odd = [
      thing('5', { label: 'a\u001fb', note: '\u001e' }),
      thing('6', { label: '\u001e', note: null, amount: null }),
    ];
    await apply(change(THINGS, { puts: odd }));
    t.strictSame(await things('5', '6'), odd);
    await apply(change(THINGS, { puts: [thing('7', { label: '' })] }));
    await apply(change(THINGS, { puts: [thing('8', { label: 'nul\u0000!' })] }));
    t.strictSame(await things('7', '8'), [thing('7', { label: '' }), thing('8', { label: 'nul\ufffd!' })]);
    await apply(change(THINGS, { puts: [thing('9', { amount: '77' })] }));
    t.strictSame(await things('9'), [thing('9', { amount: 77n })]);
    t.strictSame(await store.load(LIVE, THINGS.name, []), []);
  });

  await t.test('a put inserts or replaces the whole row', async (t) => {
    await apply(change(THINGS, { puts: [thing('1', { label: 'b', note: 'x' }), thing('10')] }));
    await apply(change(THINGS, { puts: [thing('1', { label: 'c' })] }));
    t.strictSame(await things('1', '10'), [thing('1', { label: 'c' }), thing('10')]);
  });

  await t.test('a patch sets its columns and leaves the others', async (t) => {
    await apply(
      change(THINGS, {
        patches: [
          {
            columns: ['label', 'amount'],
            rows: [
              { tenant_id: T1, id: '1', label: 'd', amount: 5n },
              { tenant_id: T1, id: '2', label: 'e', amount: null },
            ],
          },
          { columns: ['note'], rows: [{ tenant_id: T1, id: '3', note: 'patched' }] },
          {
            columns: ['day', 'at', 'flag'],
            rows: [{ tenant_id: T1, id: '10', day: '2026-01-01', at: '2026-01-01T00:00:00.000Z', flag: false }],
          },
        ],
      }),
    );
    const [one, ten, two, three] = await things('1', '2', '3', '10');
    t.match(one, { label: 'd', amount: 5n, note: null });
    t.match(two, { label: 'e', amount: null, note: 'n', small: -2_147_483_648 });
    t.match(three, { note: 'patched', label: '' });
    t.match(ten, { day: '2026-01-01', at: '2026-01-01T00:00:00.000Z', flag: false, label: 'a' });
  });

  await t.test('an addition is inserted, then merged', async (t) => {
    const add = (id: number, total: bigint, n: number, at: number, first: string): Row => ({
      tenant_id: T1,
      id,
      total,
      n,
      low: at,
      high: at,
      first,
    });
    await apply(change(SUMS, { additions: [add(1, 10n, 1, 5, 'x'), add(2, 1n, 1, 1, 'y')] }));
    await apply(change(SUMS, { additions: [add(1, -4n, 1, 3, 'z')] }));
    await apply(change(SUMS, { additions: [add(1, 10n ** 30n, 2, 9, 'z')] }));
    const rows = await store.load(LIVE, SUMS.name, [
      { tenant_id: T1, id: 1 },
      { tenant_id: T2, id: 2 },
    ]);
    t.strictSame(rows, [{ tenant_id: T1, id: 1, total: 10n ** 30n + 6n, n: 4, low: 3, high: 9, first: 'x' }]);
  });

  await t.test('rows of another tenant are other rows', async (t) => {
    await apply(change(THINGS, { inserts: [thing('1', { tenant_id: T2, label: 'theirs' })] }));
    t.match(await things('1'), [{ label: 'd' }]);
    t.match(await store.load(LIVE, THINGS.name, [{ tenant_id: T2, id: '1' }]), [{ label: 'theirs' }]);
  });

  await t.test('what is refused changes nothing at all', async (t) => {
    const good = change(SUMS, { additions: [{ tenant_id: T1, id: 9, total: 1n, n: 1, low: 1, high: 1, first: '' }] });
    await refused('a new row whose key is there', good, change(THINGS, { inserts: [thing('20'), thing('1')] }));
    await refused(
      'a patch of a row that is not',
      good,
      change(THINGS, {
        patches: [
          {
            columns: ['label'],
            rows: [
              { tenant_id: T1, id: '1', label: 'q' },
              { tenant_id: T1, id: 'none', label: 'q' },
            ],
          },
        ],
      }),
    );
    await refused('null where none may be', good, change(THINGS, { inserts: [thing('21', { label: null })] }));
    await refused('a table that is not', good, { ...good, table: 'suite_nothing' });
    await refused('the same row twice', good, change(THINGS, { puts: [thing('22'), thing('22')] }));
    t.strictSame(await things('20', '21', '22'), []);
    t.match(await things('1'), [{ label: 'd' }]);
    t.strictSame(await store.load(LIVE, SUMS.name, [{ tenant_id: T1, id: 9 }]), []);
  });

  await t.test('the checkpoint is compared and set', async (t) => {
    t.equal(await store.apply(LIVE, 'wrong', '999', [change(THINGS, { inserts: [thing('30')] })]), 'stale');
    t.strictSame(await things('30'), [], 'stale changes are not made');
    await apply();
    const race = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        store.apply(LIVE, checkpoint, 'after the race', [change(THINGS, { inserts: [thing(`r${i}`)] })]),
      ),
    );
    checkpoint = 'after the race';
    t.strictSame(race.sort(), ['applied', ...Array.from({ length: 7 }, () => 'stale')]);
    t.equal((await things(...Array.from({ length: 8 }, (_, i) => `r${i}`))).length, 1, 'one of a race wins');
    t.equal((await stateOf(1))?.checkpoint, checkpoint);
  });

  await t.test('a load sees what was to be applied before it', async (t) => {
    const pending = apply(change(THINGS, { puts: [thing('40', { label: 'just now' })] }));
    t.match(await things('40'), [{ label: 'just now' }]);
    await pending;
  });

  await t.test('parked is a note that the next batch clears', async (t) => {
    await store.park(LIVE, 'because \u0000');
    t.match(await stateOf(1), { status: 'parked', error: /^because / });
    await apply();
    t.match(await stateOf(1), { status: 'running', error: null });
    t.equal(await store.unpark('suite'), false);
    await store.park(LIVE, 'again');
    t.equal(await store.unpark('suite'), true);
    t.match(await stateOf(1), { status: 'running', error: null });
  });

  await t.test('a batch of many rows', async (t) => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ tenant_id: T1, n: i }));
    await apply(change(LINES, { inserts: many }));
    t.equal((await store.load(LIVE, LINES.name, many)).length, many.length);
    await refused('a line that is there', change(LINES, { inserts: [{ tenant_id: T1, n: 5 }] }));
  });

  await t.test('a rebuild is filled beside the live build and then takes its place', async (t) => {
    const state = await store.startRebuild(SUITE);
    t.match(state, { generation: 2, checkpoint: '', status: 'rebuilding' });
    t.strictSame(await store.startRebuild(SUITE), state, 'one that is there is gone on with');
    const target = { projection: SUITE, generation: 2 };
    t.equal(
      await store.apply(target, '', '5', [change(THINGS, { inserts: [thing('1', { label: 'rebuilt' })] })]),
      'applied',
    );
    t.equal(await store.apply(target, '5', '6', [change(LINES, { inserts: [{ tenant_id: T1, n: 1 }] })]), 'applied');
    t.match(await things('1'), [{ label: 'd' }], 'the live rows are what they were');
    t.match(await store.load(target, THINGS.name, [{ tenant_id: T1, id: '1' }]), [{ label: 'rebuilt' }]);
    await store.finishLoading(target);
    await store.finishLoading(target);

    let held: Promise<unknown> | undefined;
    let heldDone = false;
    await store.switchTo(target, async (live) => {
      t.equal(live, checkpoint);
      held = store.apply(LIVE, checkpoint, 'too late', []).then((result) => {
        heldDone = true;
        return result;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      t.equal(heldDone, false, 'the live checkpoint stands still meanwhile');
    });
    t.equal(await held, 'stale', 'who waited finds its build out of use');
    t.match(await stateOf(2), { status: 'running', checkpoint: '6' });
    t.equal(await stateOf(1), undefined);
    await t.rejects(
      store.switchTo(target, () => Promise.resolve()),
      'it is live already',
    );
    t.equal(await store.apply(target, '6', '7', [change(LINES, { inserts: [{ tenant_id: T1, n: 2 }] })]), 'applied');
    await t.rejects(
      store.apply(target, '7', '8', [change(LINES, { inserts: [{ tenant_id: T1, n: 2 }] })]),
      { name: 'ChangesRejected' },
      'its keys are keys',
    );
  });

  await t.test('a switch that fails leaves everything as it was', async (t) => {
    await store.startRebuild(SUITE);
    const target = { projection: SUITE, generation: 3 };
    await store.finishLoading(target);
    await t.rejects(
      store.switchTo(target, () => Promise.reject(new Error('no'))),
      { message: 'no' },
    );
    t.match(await stateOf(2), { status: 'running', checkpoint: '7' });
    t.match(await stateOf(3), { status: 'rebuilding' });
    t.equal(
      await store.apply({ projection: SUITE, generation: 2 }, '7', '8', []),
      'applied',
      'the live one moves again',
    );
  });

  await t.test('builds that are out of use are dropped', async (t) => {
    t.equal(await store.dropRetired(), 1);
    t.equal(await store.dropRetired(), 0);
    t.equal(await store.dropRetired({ unfinished: true }), 1);
    t.equal(await store.apply({ projection: SUITE, generation: 3 }, '', '1', []), 'stale');
    t.match(await stateOf(2), { status: 'running', checkpoint: '8' });
  });
}
