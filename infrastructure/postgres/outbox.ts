import type pg from 'pg';
import type { Clock, IdSource } from '../../application/ports/clock.js';
import type { Mail, Outbox, OutboxMail } from '../../application/ports/mailer.js';
import { instant } from './instant.js';

/** Most mails kept of a tenant: the sandbox forgets the oldest. */
const KEPT = 1_000;

interface Row {
  mail_id: string;
  tenant_id: string;
  owner_id: string | null;
  recipient: string;
  from_name: string;
  subject: string;
  body: string;
  created_at: string;
}

/** The sandbox's mail in `ledger.outbox`, as role corebook_core: sent to nobody, read by the API. */
export class PostgresOutbox implements Outbox {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #ids: IdSource;

  constructor(pool: pg.Pool, clock: Clock, ids: IdSource) {
    this.#pool = pool;
    this.#clock = clock;
    this.#ids = ids;
  }

  async send(mail: Mail): Promise<void> {
    const createdAt = new Date(this.#clock.nowMs()).toISOString();
    await this.#pool.query(
      `insert into ledger.outbox (tenant_id, mail_id, owner_id, recipient, from_name, subject, body, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        mail.tenantId,
        this.#ids.eventId(),
        mail.owner ?? null,
        mail.to,
        mail.fromName,
        mail.subject,
        mail.text,
        createdAt,
      ],
    );
    await this.#pool.query(
      `delete from ledger.outbox where tenant_id = $1 and mail_id <=
         (select mail_id from ledger.outbox where tenant_id = $1 order by mail_id desc offset $2 limit 1)`,
      [mail.tenantId, KEPT],
    );
  }

  async list(
    tenantId: string,
    filter: { readonly to?: string },
    { page, size }: { readonly page: number; readonly size: number },
  ): Promise<{ readonly items: readonly OutboxMail[]; readonly totalElements: number }> {
    const where = `tenant_id = $1 and ($2::text is null or lower(recipient) = lower($2))`;
    const { rows } = await this.#pool.query<Row>(
      `select tenant_id, mail_id, owner_id, recipient, from_name, subject, body, ${instant('created_at')}
         from ledger.outbox where ${where} order by mail_id desc limit $3 offset $4`,
      [tenantId, filter.to ?? null, size, (page - 1) * size],
    );
    const counted = await this.#pool.query<{ total: string }>(
      `select count(*) as total from ledger.outbox where ${where}`,
      [tenantId, filter.to ?? null],
    );
    return { items: rows.map(mailOf), totalElements: Number.parseInt(counted.rows[0]?.total ?? '0', 10) };
  }

  async deleteAllOf(tenantId: string, owner: string): Promise<void> {
    await this.#pool.query(`delete from ledger.outbox where tenant_id = $1 and owner_id = $2`, [tenantId, owner]);
  }
}

function mailOf(row: Row): OutboxMail {
  return {
    mailId: row.mail_id,
    tenantId: row.tenant_id,
    ...(row.owner_id === null ? {} : { owner: row.owner_id }),
    to: row.recipient,
    fromName: row.from_name,
    subject: row.subject,
    text: row.body,
    createdAt: row.created_at,
  };
}
