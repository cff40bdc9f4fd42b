/** What callers were told, against what is in the log: nothing acknowledged is lost, nothing is done twice. */
import type { Command, CommittedEvent, Outcome } from '../../application/commands.js';
import { COMMANDS } from '../../application/deciders.js';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { InvariantBroken } from './oracle.js';

/** One delivery of a command. Without an outcome it is not known whether it took effect. */
export interface Attempt {
  readonly command: Command;
  readonly sent: number;
  readonly answered?: number;
  readonly outcome?: Outcome;
}

/** Refusals that are not kept: about the key, about who may ask, or about a tenant that is not there. */
const NOT_KEPT = new Set(['idempotency-key-reused', 'authority-required', 'tenant-not-found', 'tenant-suspended']);

const brief = (events: readonly CommittedEvent[]): string =>
  JSON.stringify(
    events.map(({ id, type, version, data, tags, recordedAt, effectiveAt, meta }) => ({
      id,
      type,
      version,
      data,
      tags,
      recordedAt,
      effectiveAt,
      meta,
    })),
  );

export function checkAnswers(attempts: readonly Attempt[], log: readonly StoredEvent[]): void {
  const byId = new Map(log.map((event) => [event.id, event]));
  const byKey = new Map(log.flatMap((event) => (event.keyId === undefined ? [] : [[event.keyId, event] as const])));
  const byCorrelation = groupBy(log, (event) => `${event.tenantId} ${event.meta['correlation']}`);
  const is = (condition: boolean, what: string, command: Command): void => {
    if (condition) return;
    const text = JSON.stringify(command, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v));
    throw new InvariantBroken(`${what}: ${text}`);
  };
  for (const [, same] of groupBy(attempts, ({ command }) => command.correlationId)) {
    const [{ command }] = same as [Attempt];
    const events = byCorrelation.get(`${command.tenantId} ${command.correlationId}`) ?? [];
    events.forEach((event, i) =>
      is(event.revision === (events[0]?.revision ?? 0) + i, 'a command is one commit, once', command),
    );
    const keyed = command.idempotency !== undefined || command.name === 'post-entries';
    const accepted = same.filter(({ outcome }) => outcome?.status === 'accepted');
    const refused = same.filter(({ outcome }) => outcome?.status === 'refused');
    if (!keyed) is(same.length === 1, 'a command without a key is delivered once', command);

    for (const { outcome } of accepted) {
      if (outcome?.status !== 'accepted') continue;
      for (const event of outcome.events) {
        const stored = byId.get(event.id);
        is(stored !== undefined, 'what was acknowledged is in the log', command);
        if (stored !== undefined) is(brief([event]) === brief([stored]), 'and as it was told', command);
      }
      is(
        Number(outcome.position === '' ? 0 : outcome.position) >=
          Math.max(0, ...outcome.events.map(({ id }) => Number(byId.get(id)?.position))),
        'the position told is not before the events',
        command,
      );
      for (const key of keysWithHashes(command))
        is(byKey.get(key.id)?.meta['requestHash'] === key.requestHash, 'an accepted key is in the log', command);
      if (!outcome.replayed && command.name !== 'post-entries') {
        const fresh = events.filter(({ type }) => type !== 'command-accepted');
        is(brief(outcome.events) === brief(fresh), 'the answer is all that the command did', command);
      }
    }
    if (accepted.length === 0 && refused.length === same.length) {
      is(
        events.every(({ type }) => type === 'command-refused'),
        'a refused command does nothing',
        command,
      );
    }
    // An answer once given is given again, whatever happened in between.
    is(
      new Set(accepted.map(({ outcome }) => brief(outcome?.status === 'accepted' ? outcome.events : []))).size <= 1,
      'one answer',
      command,
    );
    is(accepted.filter(({ outcome }) => outcome?.replayed === false).length <= 1, 'new once, then replayed', command);
    const since = Math.min(...accepted.map(({ answered }) => answered ?? Number.POSITIVE_INFINITY));
    is(!refused.some(({ sent }) => sent > since), 'not refused after it was accepted', command);
    const { recordsRefusals } = COMMANDS[command.name];
    const kept = refused.filter(
      ({ outcome }) =>
        recordsRefusals && keyed && outcome?.status === 'refused' && !NOT_KEPT.has(outcome.refusal.refused),
    );
    const refusals = new Set(
      kept.map(({ outcome }) => JSON.stringify(outcome?.status === 'refused' ? outcome.refusal : '')),
    );
    is(refusals.size <= 1, 'one refusal', command);
    is(kept.length === 0 || accepted.length === 0, 'refused for ever or accepted, not both', command);
  }
}

function keysWithHashes(command: Command): Array<{ id: string; requestHash: string }> {
  const inner =
    command.name === 'post-entries'
      ? (command as Command<'post-entries'>).payload.instructions.map(({ key }) => key)
      : [];
  return command.idempotency === undefined ? inner : [command.idempotency, ...inner];
}

function groupBy<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
