/**
 * At least 200 worlds (see simulator.ts), each with its own weather: after every one nothing acknowledged is lost,
 * nothing is doubled, the books are right and the read models are the fold of the log. A failing seed is a failing test:
 * `SEED=123 node build/tests/simulation/simulation.test.js` plays it alone, `SEEDS=5000` plays more.
 */
import tap, { test } from 'tap';
import { playWorlds } from './play-worlds.js';

tap.setTimeout(3_600_000); // The runner has a limit of its own.
const only = process.env['SEED'];
const SEEDS = Number(process.env['SEEDS'] ?? 200);
const FIRST = Number(process.env['FIRST'] ?? 1);

const sum: Record<string, number> = {};

test(only === undefined ? `${SEEDS} worlds` : `the world of seed ${only}`, async (t) => {
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => FIRST + i) : [Number(only)];
  let passed = 0;
  for (const world of await playWorlds(seeds)) {
    if (world.failure !== undefined) {
      t.fail(`SEED=${world.seed}: ${world.failure.message}`, { stack: world.failure.stack });
      continue;
    }
    passed += 1;
    for (const [name, count] of Object.entries(world.counts)) sum[name] = (sum[name] ?? 0) + count;
    if (only !== undefined) t.comment(`${world.weather} ${JSON.stringify(world.counts)} ${world.fingerprint}`);
  }
  t.equal(passed, seeds.length, `${seeds.length} seeds, ${sum['attempts']} deliveries, ${sum['events']} events`);
  t.comment(JSON.stringify(sum));
});

test('the storms were storms', { skip: only === undefined ? false : 'one seed' }, (t) => {
  for (const name of [
    'conflicts',
    'lostAnswers',
    'lateEffects',
    'keysTaken',
    'crashes',
    'outages',
    'rebuilds',
    'retries',
    'duplicates',
    'overloaded',
    'unavailable',
    'poisoned',
    'replayed',
    'readYourWrites',
    'stale',
    'pipelined',
    'loads',
  ]) {
    t.ok((sum[name] ?? 0) > 0, name);
  }
  t.end();
});

test('a seed is one history', async (t) => {
  const seeds = only === undefined ? [FIRST, FIRST + 7, FIRST + 100] : [Number(only)];
  const worlds = await playWorlds([...seeds.flatMap((seed) => [seed, seed]), FIRST + 1]);
  const prints = worlds.map((world) => (world.failure === undefined ? world.fingerprint : world.failure.message));
  for (const [at, seed] of seeds.entries()) {
    t.equal(prints[2 * at], prints[2 * at + 1], `seed ${seed}: the same log, byte for byte, and the same answers`);
    t.same(worlds[2 * at], worlds[2 * at + 1], 'in as many steps');
  }
  t.not(prints[0], prints.at(-1), 'another seed is another');
});
