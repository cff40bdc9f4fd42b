import { type Transporter, createTransport } from 'nodemailer';
import type { Mail, Mailer } from '../../application/ports/mailer.js';

const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;

/** Sends by SMTP: `smtp://user:password@host:587` (STARTTLS where the server offers it) or `smtps://…:465`. */
export class SmtpMailer implements Mailer {
  readonly #transport: Transporter;
  readonly #from: string;

  constructor(options: {
    readonly url: string;
    /** The address mail comes from; the name before it is the tenant's. */
    readonly from: string;
  }) {
    this.#from = options.from;
    this.#transport = createTransport({
      url: options.url,
      pool: true,
      maxConnections: 4,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: ANSWER_MS,
      // A template is a text: it may not name files or addresses to fetch.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: Mail): Promise<void> {
    await this.#transport.sendMail({
      from: { name: mail.fromName, address: this.#from },
      // As an object: a name and an address, not a text to be parsed into several.
      to: { name: '', address: mail.to },
      subject: mail.subject,
      text: mail.text,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  }

  close(): void {
    this.#transport.close();
  }
}
