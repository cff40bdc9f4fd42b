/** The fault suite in small, for every run of the tests: one outage and one death. All of it is `npm run test:faults`. */
import tap, { test } from 'tap';
import { NOBODY } from './kinds.js';
import { Rig, type RigKind } from './rig.js';
import { type Scenario, conduct } from './scenario.js';

tap.setTimeout(150_000);

/** Jobs on PostgreSQL: there may be no Redis. */
const KIND: RigKind = { processes: ['api,projector,worker'], log: 'postgres', jobs: 'postgres' };

const OUTAGE: Scenario = {
  name: 'smoke-refuse',
  fault: 'PostgreSQL refuses connections',
  rig: KIND,
  serves: 'no',
  lastsMs: 1_500,
  strike: (rig) => rig.postgresProxy.strike({ kind: 'refuse' }),
};

const DEATH: Scenario = {
  name: 'smoke-kill',
  fault: 'kill -9 of the process',
  rig: KIND,
  serves: 'no',
  lastsMs: 200,
  callersMaySee: NOBODY,
  processDies: true,
  strike: async (rig) => {
    await rig.api.end('SIGKILL');
  },
  heal: (rig) => rig.api.start(),
};

test('nothing acknowledged is lost or doubled, /ready tells the truth, and all is well again', async (t) => {
  const rig = await Rig.open(KIND);
  t.teardown(() => rig.close());
  for (const scenario of [OUTAGE, DEATH]) {
    const result = await conduct(scenario, rig);
    t.strictSame(result.problems, [], scenario.fault);
    t.ok(result.acknowledged > 0);
    t.ok(result.noticedMs !== undefined, '/ready knew');
  }

  const blind: Scenario = { ...OUTAGE, serves: 'yes' };
  t.match((await conduct(blind, rig)).problems.join(), /ready said 503 .* though it could serve/, 'the judge judges');
  const spoiling: Scenario = {
    name: 'smoke-spoilt',
    fault: 'a row of a read model is changed behind our back',
    rig: KIND,
    serves: 'yes',
    lastsMs: 100,
    strike: () => Promise.resolve(),
    after: async ({ postgres }) => {
      await postgres.rows(`update ledger.tenants set name = 'spoilt'`);
      return [];
    },
  };
  const { problems } = await conduct(spoiling, rig);
  t.match(problems.join(), /tenants: the live row is .*spoilt/, 'the proof finds what is wrong');
});
