/** Whether background work is done: holds are placed that a job must end. */
import { randomUUID } from 'node:crypto';
import type { Rig } from './rig.js';
import { until } from './until.js';

const HOLDS = 3;
/** Lost schedules are looked for every 20 s, and the sweep behind them runs at once; stalled jobs wait for their lock. */
const ENDED_MS = 90_000;
const SOON_MS = 500;

/** Holds that a job ends in `afterMs`. */
export async function placeHolds(rig: Rig, afterMs: number): Promise<void> {
  const { demo } = rig;
  const [wallet] = demo?.wallets ?? [];
  if (demo === undefined || wallet === undefined) throw new Error('the rig has no tenant');
  const expiresAt = new Date((await serverNowMs(rig)) + afterMs).toISOString();
  const { currency: currencyCode, tokens } = demo;
  for (let i = 0; i < HOLDS; i += 1) {
    const response = await fetch(`${rig.api.url}/api/v6/services/ledger/holds`, {
      method: 'POST',
      headers: {
        ...{ 'X-Auth-Token': tokens.MANAGER, 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
      },
      body: JSON.stringify({
        ...{ accountId: wallet.accountId, amount: 0.02, currencyCode, type: 'HOLD', reason: 'fault suite', expiresAt },
      }),
    });
    if (response.status !== 201)
      throw new Error(`a hold was answered with ${response.status}: ${await response.text()}`);
  }
}

/** Resolves when every hold whose time has come has ended; that takes as long as the jobs need to come back. */
export async function holdsEnd(rig: Rig): Promise<string[]> {
  await until('the holds have ended', ENDED_MS, async () => (await openHolds(rig)) === 0);
  return [];
}

/** Asked after a fault: jobs are taken in, wait, and are done. */
export async function jobsRun(rig: Rig): Promise<string[]> {
  await placeHolds(rig, SOON_MS);
  await until('the holds are in the read model', ENDED_MS, async () => (await openHolds(rig)) > 0);
  return holdsEnd(rig);
}

/** The clock of the product, which a scenario may have set. */
async function serverNowMs(rig: Rig): Promise<number> {
  const response = await fetch(`${rig.api.url}/api/v6/services/ledger/trial-balance`);
  const { metadata } = (await response.json()) as { metadata: { timestamp: string } };
  return Date.parse(metadata.timestamp);
}

async function openHolds(rig: Rig): Promise<number> {
  const now = new Date(await serverNowMs(rig)).toISOString();
  const [row] = await rig.postgres.rows<{ open: string }>(
    `select count(*) as open from ledger.holds where status = 'ACTIVE' and expires_at < $1`,
    [now],
  );
  return Number.parseInt(row?.open ?? '0', 10);
}
