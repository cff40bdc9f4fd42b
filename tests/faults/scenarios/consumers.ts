/** Consumers that are slow, stuck, or cannot take what they are given. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { NOBODY, ONE_PROCESS } from '../kinds.js';
import type { Rig } from '../rig.js';
import type { Scenario } from '../scenario.js';
import { until } from '../until.js';

const SLOW_READERS = 60;
const PARKED_MS = 20_000;
const BACK_MS = 30_000;

let held: pg.Client | undefined;
let sockets: Socket[] = [];

export const CONSUMER_FAULTS: readonly Scenario[] = [
  {
    name: 'projection-held-up',
    fault: 'a read model is locked for 18 s by somebody else',
    rig: ONE_PROCESS,
    serves: 'yes',
    ready: 'either',
    lastsMs: 18_000,
    strike: async (rig) => {
      held = new pg.Client({ connectionString: rig.postgres.url() });
      await held.connect();
      await held.query('begin');
      await held.query(`select from ledger.projections where name = 'entries' for update`);
    },
    heal: async () => {
      await held?.query('rollback');
      await held?.end();
    },
    note: 'look-ups that ask for their own writes (X-Min-Position) are told to come again',
  },
  {
    name: 'slow-readers',
    fault: `${SLOW_READERS} clients ask for pages of history over and over and never read the answers`,
    rig: ONE_PROCESS,
    serves: 'yes',
    lastsMs: 5_000,
    strike: (rig) => {
      sockets = Array.from({ length: SLOW_READERS }, () => notReading(rig));
      return Promise.resolve();
    },
    heal: () => {
      for (const socket of sockets) socket.destroy();
      return Promise.resolve();
    },
  },
  {
    name: 'poison-event',
    fault: 'a read model (entries) cannot take an event',
    rig: ONE_PROCESS,
    serves: 'yes',
    ready: 'no',
    lastsMs: 6_000,
    callersMaySee: NOBODY,
    processDies: true,
    strike: async (rig) => {
      const table = await liveTable(rig);
      await rig.postgres.rows(`alter table ${table} add constraint poison check (revision < 0) not valid`);
      await until('the read model is parked', PARKED_MS, async () => (await parked(rig)) !== undefined);
    },
    heal: async (rig) => {
      // What holds until a person acts: the others go on, and everybody is told which event it is.
      const problems = await judgeParked(rig);
      // The code is mended and deployed: a fresh process tries a parked read model once.
      await rig.postgres.rows(`alter table ${await liveTable(rig)} drop constraint poison`);
      await rig.api.end('SIGTERM');
      await rig.api.start();
      if (problems.length > 0) throw new Error(problems.join('; '));
    },
    after: async (rig) => {
      await until('nothing is parked', BACK_MS, async () => (await parked(rig)) === undefined);
      return [];
    },
    note: 'the others go on; a person mends the code: [a projection is parked](../runbooks/README.md#a-projection-is-parked)',
  },
];

/** Asks for a page as often as it is let, and does not read. */
function notReading(rig: Rig): Socket {
  const [wallet] = rig.demo?.wallets ?? [];
  const socket = connect(rig.api.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  const request = [
    `GET /api/v6/services/ledger/account-ledger-history/${wallet?.accountId}?size=100 HTTP/1.1`,
    'Host: localhost',
    `X-Auth-Token: ${rig.demo?.tokens.MANAGER}`,
    '\r\n',
  ].join('\r\n');
  socket.once('connect', () => {
    for (let i = 0; i < 50; i += 1) socket.write(request);
  });
  return socket;
}

async function liveTable(rig: Rig): Promise<string> {
  const [row] = await rig.postgres.rows<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
      where c.relkind = 'r' and c.relnamespace = 'ledger'::regnamespace and c.relname ~ '^entries_v[0-9]+(_g[0-9]+)?$'
      order by c.oid desc limit 1`,
  );
  if (row === undefined) throw new Error('there is no table of entries');
  return row.name;
}

async function parked(rig: Rig): Promise<string | undefined> {
  const [row] = await rig.postgres.rows<{ parked_error: string }>(
    `select parked_error from ledger.projections where status = 'live' and parked_error is not null`,
  );
  return row?.parked_error;
}

async function judgeParked(rig: Rig): Promise<string[]> {
  const problems: string[] = [];
  const error = (await parked(rig)) ?? '';
  if (!/entry-posted .+ tenant .+ revision \d+/.test(error)) problems.push(`the event is not named: ${error}`);
  const ready = (await (await fetch(`${rig.api.url}/ready`)).json()) as {
    checks: Array<{ name: string; ok: boolean; detail?: string }>;
  };
  const red = ready.checks.filter(({ ok }) => !ok);
  if (red.map(({ name }) => name).join() !== 'projection entries') problems.push(`red are ${JSON.stringify(red)}`);
  if (red[0]?.detail?.startsWith('parked: ') !== true) problems.push(`/ready says ${red[0]?.detail}`);
  const metrics = await (await fetch(`${rig.api.url}/metrics`)).text();
  if (!/^corebook_projection_parked\{projection="entries"\} 1$/m.test(metrics)) problems.push('no metric says parked');
  const before = await checkpoints(rig);
  await delay(1_500);
  const after = await checkpoints(rig);
  if (after.get('entries') !== before.get('entries')) problems.push('the parked read model went on');
  for (const [name, position] of before) {
    if (name !== 'entries' && after.get(name) === position) problems.push(`${name} did not go on`);
  }
  return problems;
}

async function checkpoints(rig: Rig): Promise<Map<string, string>> {
  const rows = await rig.postgres.rows<{ name: string; checkpoint: string }>(
    `select name, checkpoint from ledger.projections where status = 'live'`,
  );
  return new Map(rows.map(({ name, checkpoint }) => [name, checkpoint]));
}
