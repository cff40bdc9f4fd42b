import type { Clock, IdSource } from '../../application/ports/clock.js';
import type { Mail, Outbox, OutboxMail } from '../../application/ports/mailer.js';

/** Most mails kept of a tenant. */
const KEPT = 1_000;

/** Mail that is sent to nobody, in memory, for tests. */
export class MemoryOutbox implements Outbox {
  #mails: OutboxMail[] = [];
  readonly #clock: Clock;
  readonly #ids: IdSource;

  constructor(clock: Clock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  send(mail: Mail): Promise<void> {
    const kept = { ...mail, mailId: this.#ids.eventId(), createdAt: new Date(this.#clock.nowMs()).toISOString() };
    this.#mails.unshift(kept);
    const own = this.#mails.filter(({ tenantId }) => tenantId === mail.tenantId);
    if (own.length > KEPT) this.#mails = this.#mails.filter((one) => one !== own.at(-1));
    return Promise.resolve();
  }

  list(
    tenantId: string,
    filter: { readonly to?: string },
    { page, size }: { readonly page: number; readonly size: number },
  ): Promise<{ readonly items: readonly OutboxMail[]; readonly totalElements: number }> {
    const to = filter.to?.toLowerCase();
    const found = this.#mails.filter(
      (mail) => mail.tenantId === tenantId && (to === undefined || mail.to.toLowerCase() === to),
    );
    const from = (page - 1) * size;
    return Promise.resolve({ items: found.slice(from, from + size), totalElements: found.length });
  }

  deleteAllOf(tenantId: string, owner: string): Promise<void> {
    this.#mails = this.#mails.filter((mail) => mail.tenantId !== tenantId || mail.owner !== owner);
    return Promise.resolve();
  }
}
