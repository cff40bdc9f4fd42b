/** One fault: load, strike, watch, heal, proof. */
import { setTimeout as delay } from 'node:timers/promises';
import { Load, type Seen } from './load.js';
import { logEnd, prove } from './proof.js';
import type { Rig, RigKind } from './rig.js';
import { until } from './until.js';
import { type Sample, Watch } from './watch.js';

export interface Scenario {
  readonly name: string;
  /** For the table of docs/reference/faults.md. */
  readonly fault: string;
  readonly rig: RigKind;
  /** Whether the product can carry out commands meanwhile; `partly`: some callers are served, some are not. */
  readonly serves: 'yes' | 'no' | 'partly';
  /** What `/ready` must say meanwhile; default: what `serves` suggests. */
  readonly ready?: 'yes' | 'no' | 'either';
  /** How long the fault lasts. */
  readonly lastsMs: number;
  strike(rig: Rig): Promise<void>;
  /** Default: the proxies are healed. */
  heal?(rig: Rig): Promise<void>;
  /** What callers may see beside 200 and 503, because nobody is there to answer. */
  readonly callersMaySee?: RegExp;
  /** `/health` may be silent: the process is dead. */
  readonly processDies?: boolean;
  /** Bound of the recovery. */
  readonly recoversMs?: number;
  /** Asked when everything is well again, before the proof; answers problems. */
  after?(rig: Rig): Promise<string[]>;
  /** For the table: what holds beyond what always holds, and what a person does. */
  readonly note?: string;
}

export interface Result {
  readonly name: string;
  readonly fault: string;
  readonly note: string;
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly open: number;
  readonly commands: Readonly<Record<string, number>>;
  readonly lookUps: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** From the fault to the first honest answer of `/ready`; absent where it stayed 200. */
  readonly noticedMs?: number;
  readonly failing: readonly string[];
  readonly recoveredMs: number;
  readonly lastsMs: number;
  readonly events: number;
}

const WARM_UP = 20;
/** Checks of `/ready` have 2 s, and a fault may strike right behind one. */
const NOTICE_MS = 6_000;
const RECOVERY_MS = 60_000;
const AFTERWARDS_MS = 400;
const HEALTH_MS = 2_500;
/** Callers are answered within: a command's own bound and some seconds for a busy machine. */
const ANSWER_MS = 35_000;

export async function conduct(scenario: Scenario, rig: Rig): Promise<Result> {
  const { demo } = rig;
  if (demo === undefined) throw new Error('the rig has no tenant');
  const since = await logEnd(rig.postgres);
  const load = new Load(`${scenario.name}-${since}`, () => rig.urls, demo);
  const watch = new Watch(rig.api.url);
  load.start();
  const problems: string[] = [];
  const times = { struckMs: 0, healedMs: 0, recoveredMs: 0 };
  try {
    await until('the load runs', RECOVERY_MS, () => load.acknowledged.length >= WARM_UP);
    times.struckMs = performance.now();
    await scenario.strike(rig);
    await delay(scenario.lastsMs);
    times.healedMs = performance.now();
    await (scenario.heal?.(rig) ?? rig.heal());
    times.recoveredMs = await recovered(rig, load, watch, scenario.recoversMs ?? RECOVERY_MS);
    await delay(AFTERWARDS_MS);
    problems.push(...((await scenario.after?.(rig)) ?? []));
  } catch (error) {
    problems.push(String(error));
    await rig.heal();
  }
  await Promise.all([load.stop(), watch.stop()]);
  problems.push(...judgeCallers(scenario, load, times), ...judgeWatch(scenario, watch, times));
  let events = 0;
  try {
    const proof = await prove({ postgres: rig.postgres, fold: rig.fold, env: rig.direct }, load, demo.tenant, since);
    problems.push(...proof.problems);
    events = proof.events;
  } catch (error) {
    problems.push(`no proof: ${String(error)}`);
  }
  return report(scenario, { load, watch, times, problems, events });
}

interface Times {
  readonly struckMs: number;
  readonly healedMs: number;
  readonly recoveredMs: number;
}

/** Commands are answered, `/ready` is content, and the read models have seen what was there when it healed. */
async function recovered(rig: Rig, load: Load, watch: Watch, withinMs: number): Promise<number> {
  const healedMs = performance.now();
  const left = (): number => withinMs - (performance.now() - healedMs);
  await until('commands are answered again', left(), () => load.acknowledgedSince(healedMs));
  const end = await logEnd(rig.postgres);
  await until('the read models are there again', left(), async () => {
    const rows = await rig.postgres.rows<{ behind: string }>(
      `select count(*) as behind from ledger.projections where status = 'live' and checkpoint::bigint < $1`,
      [end],
    );
    return rows[0]?.behind === '0';
  });
  const isReady = ({ status, askedMs }: Sample): boolean => status === 200 && askedMs >= healedMs;
  await until('/ready is 200 again', left(), () => watch.ready.some(isReady));
  await until('all processes are ready', left(), async () => (await rig.readiness()).every((status) => status === 200));
  return performance.now() - healedMs;
}

function judgeCallers(scenario: Scenario, load: Load, { struckMs, healedMs }: Times): string[] {
  const problems: string[] = [];
  const good = (label: string): boolean =>
    label === '200' || label === '503 SERVICE_UNAVAILABLE' || scenario.callersMaySee?.test(label) === true;
  const strange = [...load.commands, ...load.lookUps].filter(({ label }) => !good(label));
  if (strange.length > 0) problems.push(`callers saw ${JSON.stringify(countsOf(strange))}`);
  const slow = [...load.commands, ...load.lookUps].filter(({ ms }) => ms > ANSWER_MS);
  if (slow.length > 0) problems.push(`${slow.length} calls took more than ${ANSWER_MS / 1_000} s`);
  const meanwhile = load.commands.filter(({ label, atMs }) => label === '200' && atMs > struckMs && atMs < healedMs);
  if (scenario.serves === 'yes' && meanwhile.length === 0) problems.push('no command was carried out meanwhile');
  const open = load.sent.filter(({ outcome, tries }) => outcome === 'open' && tries > 1);
  if (open.length > 0) problems.push(`${open.length} retried calls never got an answer: ${open[0]?.answer}`);
  return problems;
}

function judgeWatch(scenario: Scenario, watch: Watch, { struckMs, healedMs }: Times): string[] {
  const problems: string[] = [];
  const expected = scenario.ready ?? (scenario.serves === 'no' ? 'no' : scenario.serves === 'yes' ? 'yes' : 'either');
  const meanwhile = watch.ready.filter(({ askedMs, atMs }) => askedMs > struckMs && atMs < healedMs);
  const noticed = meanwhile.find(({ status }) => status !== 200);
  if (expected === 'no') {
    if (noticed === undefined) problems.push('/ready never said that it cannot serve');
    else {
      if (noticed.atMs - struckMs > NOTICE_MS) problems.push(`/ready noticed after ${noticed.atMs - struckMs} ms`);
      const lies = meanwhile.filter(({ status, atMs }) => status === 200 && atMs > noticed.atMs);
      if (lies.length > 0) problems.push(`/ready said 200 ${lies.length} times after it knew better`);
    }
  }
  if (expected === 'yes' && noticed !== undefined) {
    problems.push(`/ready said ${noticed.status} (${noticed.failing.join(', ')}) though it could serve`);
  }
  const ill = watch.health.filter(({ status, atMs, askedMs }) => status !== 200 || atMs - askedMs > HEALTH_MS);
  if (ill.length > 0 && scenario.processDies !== true) problems.push(`/health was not well ${ill.length} times`);
  return problems;
}

function report(
  scenario: Scenario,
  run: { load: Load; watch: Watch; times: Times; problems: string[]; events: number },
): Result {
  const { load, watch, times, problems, events } = run;
  const noticed = watch.ready.find(({ status, atMs }) => status !== 200 && atMs > times.struckMs);
  const failing = new Set(watch.ready.filter(({ atMs }) => atMs > times.struckMs).flatMap((sample) => sample.failing));
  return {
    name: scenario.name,
    fault: scenario.fault,
    note: scenario.note ?? '',
    problems,
    acknowledged: load.acknowledged.length,
    open: load.sent.filter(({ outcome }) => outcome === 'open').length,
    commands: countsOf(load.commands),
    lookUps: countsOf(load.lookUps),
    slowestMs: Math.round(Math.max(0, ...load.commands.map(({ ms }) => ms))),
    ...(noticed === undefined ? {} : { noticedMs: Math.round(noticed.atMs - times.struckMs) }),
    failing: [...failing],
    recoveredMs: Math.round(times.recoveredMs),
    lastsMs: Math.round(times.healedMs - times.struckMs),
    events,
  };
}

function countsOf(seen: readonly Seen[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { label } of seen) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
