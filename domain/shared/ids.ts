import { createHash } from 'node:crypto';

/**
 * Ids on the wire are UUID text. Event ids are ULIDs in UUID notation whose last 16 bits are zero: they number the
 * lines of an entry, so a posting group id is its event's id and a line's transaction id is derived from it.
 * Account and tenant ids are name-based (RFC 9562 version 5), so that a number's uniqueness is an id's uniqueness.
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Lower-case UUID text of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Name-based UUID (RFC 9562 §5.5): the same namespace and name give the same id everywhere, for ever. */
export function nameBasedUuid(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const TENANT_NAMESPACE = '6f1c52d4-58a4-5c0b-9d3e-2f1f5b6f0a11';

/** The id of the tenant with this slug. */
export function tenantIdOf(slug: string): string {
  return nameBasedUuid(TENANT_NAMESPACE, slug);
}

/** The id of the account with this number in this tenant. */
export function accountIdOf(tenantId: string, accountNumber: string): string {
  return nameBasedUuid(tenantId, accountNumber);
}

/** Most lines one entry may have: a line's number must fit the 16 bits that event ids leave free. */
export const MAX_LINES_PER_ENTRY = 1000;

/** The transaction id of line `index` (from 0) of an entry. */
export function lineIdOf(entryId: string, index: number): string {
  return entryId.slice(0, 32) + (index + 1).toString(16).padStart(4, '0');
}

/** The entry that a transaction id belongs to, and its line (from 0); an entry's own id gives line -1. */
export function entryOfLine(lineId: string): { entryId: string; index: number } {
  return { entryId: `${lineId.slice(0, 32)}0000`, index: Number.parseInt(lineId.slice(32), 16) - 1 };
}
