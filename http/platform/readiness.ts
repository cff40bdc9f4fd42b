import type { Clock } from '../../application/ports/clock.js';
import type { ReadinessCheck } from '../deps.js';

/** A check that has not answered after this long counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

interface Verdict {
  readonly status: 'READY' | 'NOT_READY';
  readonly checks: readonly Checked[];
}

interface Checked {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** Runs all checks at once: ready is who passes every one. */
export async function readinessOf(readiness: readonly ReadinessCheck[], clock: Clock): Promise<Verdict> {
  const done = new AbortController();
  const late = clock.sleep(CHECK_TIMEOUT_MS, done.signal).then(
    () => 'late' as const,
    () => 'late' as const,
  );
  const checks = await Promise.all(readiness.map((check) => checked(check, late)));
  done.abort();
  return { status: checks.every(({ ok }) => ok) ? 'READY' : 'NOT_READY', checks };
}

async function checked(check: ReadinessCheck, late: Promise<'late'>): Promise<Checked> {
  const { name } = check;
  try {
    const answer = await Promise.race([check.check(), late]);
    return answer === 'late' ? { name, ok: false, detail: 'no answer in time' } : { name, ...answer };
  } catch {
    // The reason may name hosts or accounts; it is in the log of whoever failed.
    return { name, ok: false, detail: 'failed' };
  }
}
