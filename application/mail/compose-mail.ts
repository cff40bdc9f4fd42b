import { agentChain } from '../people/standing.js';
import type { Mail } from '../ports/mailer.js';
import type { AgentView, ReadModels, TenantView } from '../ports/read-models.js';
import { MAIL_TEMPLATES, type MailTemplate } from './templates.js';

export type { MailTemplate } from './templates.js';

/** Values of a template; `link` is made here. */
type MailValues = Readonly<Partial<Record<'otp' | 'otpReference' | 'minutes' | 'email', string>>>;
type Composed = Pick<Mail, 'tenantId' | 'fromName' | 'subject' | 'text'>;
type House = Pick<TenantView | AgentView, 'name' | 'domains' | 'branding' | 'emailTemplates'>;

/**
 * A mail as the tenant, or the agent whose customer it goes to, writes it. Nothing is looked up about the person: it takes
 * as long for an address that nobody has.
 */
export async function composeMail(
  { readModels }: { readonly readModels: Pick<ReadModels, 'tenant' | 'agent'> },
  tenantId: string,
  agentId: string | null | undefined,
  template: MailTemplate,
  values: MailValues,
): Promise<Composed> {
  const houses = await housesOf(readModels, tenantId, agentId);
  const own = houses.map(({ emailTemplates }) => emailTemplates[template]).find((text) => text !== undefined);
  const tenant = houses[0]?.name ?? '';
  const filled = fill(own ?? MAIL_TEMPLATES[template], { ...values, tenant, link: linkOf(houses, values) });
  const [first = '', ...rest] = filled.split(/\r?\n/);
  const subject = /^Subject:\s*(.+)$/.exec(first)?.[1];
  if (subject === undefined) return { tenantId, fromName: tenant, subject: tenant, text: filled };
  return { tenantId, fromName: tenant, subject, text: rest.join('\n').trimStart() };
}

/** The sub-agent, the agent, the tenant: nearest first. */
async function housesOf(
  readModels: Pick<ReadModels, 'tenant' | 'agent'>,
  tenantId: string,
  agentId: string | null | undefined,
): Promise<House[]> {
  const chain = await agentChain(readModels, tenantId, agentId);
  const houses = await Promise.all([...chain.map((id) => readModels.agent(tenantId, id)), readModels.tenant(tenantId)]);
  return houses.filter((house) => house !== undefined);
}

/**
 * Where passwords are set: `branding.passwordResetUrl`, else the page `/reset-password` of the first own domain. What it
 * needs follows the #, which browsers send to no server.
 */
function linkOf(houses: readonly House[], { email, otp }: MailValues): string | undefined {
  const page = houses.map(({ branding }) => branding['passwordResetUrl']).find((url) => url !== undefined);
  const domain = houses.flatMap(({ domains }) => domains)[0];
  const base = page ?? (domain === undefined ? undefined : `https://${domain}/reset-password`);
  if (base === undefined || email === undefined || otp === undefined) return undefined;
  return `${base}#${new URLSearchParams({ email, otp }).toString()}`;
}

function fill(text: string, values: Readonly<Record<string, string | undefined>>): string {
  return text
    .split('\n')
    .filter((line) => [...line.matchAll(PLACEHOLDER)].every(([, name = '']) => values[name] !== undefined))
    .map((line) => line.replace(PLACEHOLDER, (_, name: string) => values[name] ?? ''))
    .join('\n');
}

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;
