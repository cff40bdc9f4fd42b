import { z } from 'zod';
import type { OutboxMail } from '../../application/ports/mailer.js';
import { PEOPLE } from '../ciam/examples.js';
import { email } from '../ciam/person-schemas.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { failure } from '../problem.js';
import { page, pagedOf, size } from '../schemas.js';

const mailShape = z
  .object({
    mailId: z.string(),
    to: z.string(),
    fromName: z.string(),
    subject: z.string(),
    text: z.string(),
    createdAt: z.string(),
  })
  .meta({ id: 'SandboxMail' });

function mailOut({ mailId, to, fromName, subject, text, createdAt }: OutboxMail) {
  return { mailId, to, fromName, subject, text, createdAt };
}

const MAIL_EXAMPLE = {
  mailId: EXAMPLE.tokenId,
  to: PEOPLE.email,
  fromName: 'Demo Transfers',
  subject: 'Your log-in code for Demo Transfers',
  text: 'Your code to log in to Demo Transfers is 493021.\n',
  createdAt: EXAMPLE.at,
};

export const sandboxOutbox = defineEndpoint({
  id: 'sandbox-outbox',
  group: 'platform',
  title: 'Mail of the sandbox',
  description: 'What would have been mailed: the sandbox sends nothing. Elsewhere this is not found.',
  method: 'GET',
  path: '/api/v6/services/sandbox/outbox',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ to: email.optional(), page, size }),
  unknownMembers: 'refuse',
  requestExamples: { one: { query: { to: PEOPLE.email } } },
  success: {
    status: 200,
    description: 'Mails, newest first',
    data: pagedOf('mails', mailShape),
    example: { mails: [MAIL_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { outbox } = call.services.identity;
    if (outbox === undefined) return failure('NOT_FOUND', 'There is no outbox here');
    const { to, ...wanted } = call.query;
    const filter = to === undefined ? {} : { to };
    const { items, totalElements } = await outbox.list(call.caller.tenantId, filter, wanted);
    const data = { mails: items.map(mailOut), ...pageInfo(wanted, totalElements) };
    return { kind: 'answer', message: 'Mail of the sandbox', data };
  },
});
