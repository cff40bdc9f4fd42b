import type { StoredEvent } from '../../application/ports/event-log.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { checkAnswers } from '../support/answers.js';
import { Fold } from '../support/folding.js';
import { type Oracle, booksOf } from '../support/oracle.js';
import type { History } from './simulator.js';

/** What must hold after every world; throws what does not. */
export async function checkWorld(history: History): Promise<void> {
  const { events, attempts, store } = history;
  const books = booksOf(events);
  checkAnswers(attempts, events);
  checkStates(events, store);
  for (const book of books.values()) checkReadModels(book, store);
  await checkAgainstFresh(events, store);
}

/** Stored states are the fold of the log. */
function checkStates(events: readonly StoredEvent[], store: MemoryReadStore): void {
  const folds = new Map<string, Fold>();
  for (const event of events) {
    const fold = folds.get(event.tenantId) ?? new Fold();
    folds.set(event.tenantId, fold);
    fold.take(event);
  }
  let count = 0;
  for (const [tenantId, fold] of folds) {
    if (store.row('aggregate_checkpoints', tenantId)?.['revision'] !== fold.revision)
      throw new Error('checkpoint of the stored states');
    for (const [tag, text] of fold.texts) {
      count += 1;
      if (store.row('aggregate_states', tenantId, tag)?.['state'] !== text) throw new Error(`stored state of ${tag}`);
    }
  }
  if (store.rows('aggregate_states').length !== count) throw new Error('stored states of nothing');
}

/** Accounts, lines and holds as queries see them are those of the book. */
function checkReadModels(book: Oracle, store: MemoryReadStore): void {
  const is = (found: unknown, wanted: unknown, what: string): void => {
    if (String(found) !== String(wanted)) throw new Error(`${what}: ${String(found)} instead of ${String(wanted)}`);
  };
  for (const [id, account] of book.accounts) {
    const row = store.row('accounts', book.tenantId, id);
    const { balance, held, liens, lines, open, permission, frozen } = account;
    is(
      [row?.['ledger'], row?.['held'], row?.['liens'], row?.['sequence']],
      [balance, held, liens, lines],
      `account ${account.number}`,
    );
    is(
      [row?.['status'], row?.['permission'], row?.['frozen']],
      [open ? 'ACTIVATED' : 'CLOSED', permission, frozen ?? null],
      `account ${account.number}`,
    );
    for (let line = 1; line <= lines; line += 1) {
      if (store.row('entries', book.tenantId, id, line) === undefined)
        throw new Error(`line ${line} of ${account.number}`);
    }
    if (store.row('entries', book.tenantId, id, lines + 1) !== undefined)
      throw new Error(`a line too many of ${account.number}`);
  }
  for (const [id, hold] of book.holds) {
    const row = store.row('holds', book.tenantId, id);
    is(
      [row?.['placed'], row?.['captured'], row?.['released']],
      [hold.placed, hold.captured, hold.released],
      `hold ${id}`,
    );
  }
  is(store.rows('accounts').filter((row) => row['tenant_id'] === book.tenantId).length, book.accounts.size, 'accounts');
  is(store.rows('holds').filter((row) => row['tenant_id'] === book.tenantId).length, book.holds.size, 'holds');
}

/** Every table of every projection is what a projection of the whole log in one piece makes. */
async function checkAgainstFresh(events: readonly StoredEvent[], store: MemoryReadStore): Promise<void> {
  const log = new MemoryEventLog();
  log.readAll = ({ after, limit }) => Promise.resolve(events.slice(Number(after), Number(after) + limit));
  const fresh = new MemoryReadStore();
  const projections = createProjections();
  await fresh.prepare(projections);
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve(), turn: () => Promise.resolve() };
  const runner = new ProjectionRunner(
    { projections, store: fresh, feed: new EventFeed(log, clock), clock },
    { maxBatch: 1_000_000 },
  );
  while ((await runner.step()).moved);
  for (const { name } of projections.flatMap(({ tables }) => tables)) {
    const text = (from: MemoryReadStore): string =>
      JSON.stringify(from.rows(name), (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    if (text(store) !== text(fresh)) throw new Error(`table ${name} differs from a projection made anew`);
  }
}
