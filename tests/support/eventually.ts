import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 5_000;
const POLL_MS = 5;

/** Polls until the condition holds; throws when it does not within five seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${condition.toString()}`);
    await sleep(POLL_MS);
  }
}

/** The error of this kind that the work has to end with; throws when it succeeds or fails otherwise. */
export async function refused<Refusal extends Error>(
  work: Promise<unknown>,
  kind: new (...args: never[]) => Refusal,
): Promise<Refusal> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof kind) return outcome;
  if (outcome instanceof Error) throw outcome;
  throw new Error(`${kind.name} expected, but it succeeded`);
}
