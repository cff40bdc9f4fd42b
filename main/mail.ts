import type { Identity } from '../application/access/identity.js';
import { JobMailQueue, mailTasks } from '../application/mail/mail-queue.js';
import type { JobQueues } from '../application/ports/job-queue.js';
import type { Mailer } from '../application/ports/mailer.js';
import { SmtpMailer } from '../infrastructure/mail/smtp-mailer.js';
import { PostgresOutbox } from '../infrastructure/postgres/outbox.js';
import type { Core } from './core.js';

/**
 * Identity with its mail: put on a job queue by whoever answers requests, sent by a worker. With MAIL_URL it goes to that
 * server; without, to the outbox, which sandbox tenants can read (in production only where ALLOW_SIMULATORS says so).
 */
export function identityWithMail(core: Core, queues: JobQueues): { identity: Identity; mailer: Mailer } {
  const { config, pool, clock, ids } = core;
  const outbox = config.MAIL_URL === undefined ? new PostgresOutbox(pool, clock, ids) : undefined;
  const mailer = outbox ?? new SmtpMailer({ url: config.MAIL_URL ?? '', from: config.MAIL_FROM });
  const mail = new JobMailQueue(mailTasks(queues), core.identity.master);
  return { identity: { ...core.identity, mail, outbox: config.sandbox ? outbox : undefined }, mailer };
}
