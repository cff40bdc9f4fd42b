import type { Row } from '../application/ports/read-store.js';
import type { QueryRow } from '../application/ports/queries.js';
import type { SecretSet, UserLocked, UserUnlocked } from '../domain/access/user-events.js';
import type { Json } from '../domain/shared/event.js';
import type { PersonalData } from '../domain/shared/person.js';
import { optionalText, text } from './rows.js';

/** What the read models of customers and employees have in common. */

/** The column of what was opened; null where the person was erased. JSON text, because a column refuses some texts. */
export function personText(opened: Json | undefined): string | null {
  return opened === undefined ? null : JSON.stringify(opened);
}

export function person(row: QueryRow): PersonalData | null {
  const json = optionalText(row, 'person');
  return json === null ? null : (JSON.parse(json) as PersonalData);
}

export function flag(row: QueryRow, column: string): boolean {
  return text(row, column) === 't';
}

/** The columns that an event of a user's ways in changes, as `evolveAccess` has it; undefined where none. */
export function accessChange(event: SecretSet | UserLocked | UserUnlocked): Row | undefined {
  switch (event.type) {
    case 'secret-set':
      if (event.data.secret === 'PASSWORD') return undefined;
      return event.data.secret === 'LOGIN_PIN' ? { has_login_pin: true } : { has_transaction_pin: true };
    case 'user-locked':
      return event.data.secret === 'PASSWORD' ? { locked_until: new Date(event.data.until).toISOString() } : undefined;
    case 'user-unlocked':
      return { locked_until: null };
  }
}
