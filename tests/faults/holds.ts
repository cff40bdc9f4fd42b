/** Whether background work is done: holds that a job must end, and the run of a schedule. */
import { randomUUID } from 'node:crypto';
import type { Rig } from './rig.js';
import { until } from './until.js';

const HOLDS = 3;
/** Lost schedules are looked for every 20 s, and the sweep behind them runs at once; stalled jobs wait for their lock. */
const ENDED_MS = 90_000;
const SOON_MS = 500;

/** Holds that a job ends in `afterMs` by the product’s clock; answers their ids. */
export async function placeHolds(rig: Rig, afterMs: number): Promise<string[]> {
  const { demo } = rig;
  const [wallet] = demo?.wallets ?? [];
  if (demo === undefined || wallet === undefined) throw new Error('the rig has no tenant');
  const expiresAt = new Date((await serverNowMs(rig)) + afterMs).toISOString();
  const { currency: currencyCode, tokens } = demo;
  const ids: string[] = [];
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
    const text = await response.text();
    if (response.status !== 201) throw new Error(`a hold was answered with ${response.status}: ${text}`);
    ids.push((JSON.parse(text) as { data: { holdId: string } }).data.holdId);
  }
  return ids;
}

/** Resolves when these holds have ended; that takes as long as the jobs need to come back. */
export async function holdsEnd(rig: Rig, ids: readonly string[]): Promise<void> {
  await until('the holds have ended', ENDED_MS, async () => {
    const [row] = await rig.postgres.rows<{ ended: string }>(
      `select count(*) as ended from ledger.holds where hold_id = any($1) and status <> 'ACTIVE'`,
      [ids],
    );
    return row?.ended === String(ids.length);
  });
}

/** Asked after a fault: jobs are taken in, wait, and are done. */
export async function jobsRun(rig: Rig): Promise<string[]> {
  await holdsEnd(rig, await placeHolds(rig, SOON_MS));
  return [];
}

/** Asked after the clock was set: what runs every few seconds still does. */
export async function schedulesRun(rig: Rig): Promise<string[]> {
  const before = await lastAudit(rig);
  await until('the self-audit has run again', ENDED_MS, async () => (await lastAudit(rig)) !== before);
  return [];
}

async function lastAudit(rig: Rig): Promise<string | undefined> {
  const [row] = await rig.postgres.rows<{ at: string }>('select at::text from ledger.self_audit');
  return row?.at;
}

/** The clock of the product, which a scenario may have set. */
async function serverNowMs(rig: Rig): Promise<number> {
  const response = await fetch(`${rig.api.url}/api/v6/services/ledger/trial-balance`);
  const { metadata } = (await response.json()) as { metadata: { timestamp: string } };
  return Date.parse(metadata.timestamp);
}
