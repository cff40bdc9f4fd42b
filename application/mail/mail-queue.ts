import type { MasterSeal } from '../ports/key-vault.js';
import type { JobProcessor, JobQueue, JobQueues } from '../ports/job-queue.js';
import type { Mail, Mailer, MailQueue } from '../ports/mailer.js';

/** A mail under way. Sealed: jobs are kept by the queue for a while, and hold no addresses or codes. */
export type MailTask = { readonly sealed: string };

const PURPOSE = 'mail under way';
/** Attempts are about five minutes together: a code that comes later is of no use. */
const RETRY = { attempts: 7, firstDelayMs: 5_000 };
const CONCURRENCY = 4;

interface Letter {
  readonly mail: Mail;
  /** False: nobody has the address; the job does nothing. */
  readonly send: boolean;
}

export function mailTasks(queues: JobQueues): JobQueue<MailTask> {
  return queues.open<MailTask>('mail', RETRY);
}

/** Mail as background jobs. */
export class JobMailQueue implements MailQueue {
  readonly #queue: Pick<JobQueue<MailTask>, 'add'>;
  readonly #master: Pick<MasterSeal, 'seal'>;

  constructor(queue: Pick<JobQueue<MailTask>, 'add'>, master: Pick<MasterSeal, 'seal'>) {
    this.#queue = queue;
    this.#master = master;
  }

  enqueue(mail: Mail): Promise<void> {
    return this.#add({ mail, send: true });
  }

  decoy(mail: Mail): Promise<void> {
    return this.#add({ mail, send: false });
  }

  #add(letter: Letter): Promise<void> {
    const sealed = this.#master.seal(PURPOSE, Buffer.from(JSON.stringify(letter))).toString('base64');
    return this.#queue.add({ data: { sealed } });
  }
}

/** Opens and sends. A mail may be sent twice where the answer of the first time was lost. */
export function mailProcessor(mailer: Mailer, master: Pick<MasterSeal, 'open'>): JobProcessor<MailTask> {
  return async ({ data }) => {
    const plain = master.open(PURPOSE, Buffer.from(data.sealed, 'base64'));
    const { mail, send } = JSON.parse(plain.toString('utf8')) as Letter;
    if (send) await mailer.send(mail);
  };
}

/** Works on the queue in this process. */
export async function startMail(
  queue: JobQueue<MailTask>,
  mailer: Mailer,
  master: Pick<MasterSeal, 'open'>,
): Promise<void> {
  await queue.work(mailProcessor(mailer, master), { concurrency: CONCURRENCY });
}
