/** A message to a person. `tenantId` and `owner` let the sandbox's outbox forget an erased person's mail. */
export interface Mail {
  readonly tenantId: string;
  /** Customer or employee it goes to; absent when nobody is known to have the address. */
  readonly owner?: string;
  readonly to: string;
  /** The sender's name, the tenant's or agent's. */
  readonly fromName: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mail. Adapters: SMTP (nodemailer); the outbox (sandbox: kept in a table that the API can read). */
export interface Mailer {
  /** Rejects when it could not be handed over: the job is tried again. */
  send(mail: Mail): Promise<void>;
}

/** Takes mail to be sent soon, by a background job: callers learn nothing from how long it takes. */
export interface MailQueue {
  enqueue(mail: Mail): Promise<void>;
  /** As much work as `enqueue`, for an address nobody has: nothing is sent. */
  decoy(mail: Mail): Promise<void>;
}

/** What the sandbox's outbox holds. */
export interface OutboxMail extends Mail {
  readonly mailId: string;
  readonly createdAt: string;
}
export interface Outbox extends Mailer {
  /** Newest first. */
  list(
    tenantId: string,
    filter: { readonly to?: string },
    page: { readonly page: number; readonly size: number },
  ): Promise<{ readonly items: readonly OutboxMail[]; readonly totalElements: number }>;
  deleteAllOf(tenantId: string, owner: string): Promise<void>;
}
