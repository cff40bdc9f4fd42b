/**
 * The write path in process, durable commits: `node build/bench/write-path.js [seconds] [rounds]`.
 * Single transfers by 32 callers (uniform over 10,000 accounts, then one hot account in each), and arrays of 100.
 */
import { createTenant, openAccounts, transfers } from './support/load.js';
import { median, openCore } from './support/open-core.js';

const CALLERS = 32;
const ACCOUNTS = 10_000;
const seconds = Number(process.argv[2] ?? 5);
const rounds = Number(process.argv[3] ?? 3);

const core = await openCore();
await createTenant(core.run);
await openAccounts(core.run, ACCOUNTS);

async function measure(title: string, size: number, hot: boolean): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    const cpu = process.cpuUsage();
    let done = 0;
    const latencies: number[] = [];
    const caller = async (): Promise<void> => {
      while (performance.now() - started < seconds * 1000) {
        const at = performance.now();
        const outcome = await core.run('post-entries', transfers(size, ACCOUNTS, hot));
        if (outcome.status !== 'accepted') throw new Error(outcome.refusal.message);
        done += size;
        latencies.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const elapsed = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    latencies.sort((a, b) => a - b);
    rates.push(done / elapsed);
    console.log(
      `${title}: ${Math.round(done / elapsed)}/s, p50 ${latencies[latencies.length >> 1]?.toFixed(1)} ms, p99 ${latencies[Math.floor(latencies.length * 0.99)]?.toFixed(1)} ms, node ${((used.user + used.system) / done).toFixed(1)} µs a posting`,
    );
  }
  console.log(`${title}: median ${Math.round(median(rates))}/s`);
  return median(rates);
}

const uniform = await measure('32 callers, single, uniform', 1, false);
const hot = await measure('32 callers, single, hot', 1, true);
await measure('32 callers, arrays of 100', 100, false);
console.log(`hot / uniform = ${(hot / uniform).toFixed(3)}`);
await core.close();
