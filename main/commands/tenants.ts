import { TOKEN_LIVES, type TokenLife, expiryOf } from '../../application/access/api-tokens.js';
import { issueApiToken } from '../../application/access/issue-api-token.js';
import { ROLES, type Role } from '../../domain/shared/decider.js';
import { isUuid, tenantIdOf } from '../../domain/shared/ids.js';
import { COMMAND_LINE, CORRELATION, type Core, withCore } from '../core.js';
import { EXIT, Failure, print } from './run.js';

/** The id of a tenant that exists. */
export async function requireTenant(core: Pick<Core, 'log'>, slug: string): Promise<string> {
  const tenantId = tenantIdOf(slug);
  if ((await core.log.head(tenantId)).revision < 0) throw new Failure(`there is no tenant ${slug}`, EXIT.refused);
  return tenantId;
}

export async function createTenantCommand(given: {
  slug: string;
  name?: string;
  baseCurrency: string;
  currency: string[];
  json: boolean;
}): Promise<void> {
  await withCore(async (core) => {
    const tenantId = tenantIdOf(given.slug);
    const currencies = [...new Set([given.baseCurrency, ...given.currency])];
    const outcome = await core.bus.execute({
      name: 'create-tenant',
      tenantId,
      actor: COMMAND_LINE,
      correlationId: CORRELATION,
      payload: {
        slug: given.slug,
        settings: {
          name: given.name ?? given.slug,
          baseCurrency: given.baseCurrency,
          currencies,
          domains: [],
          branding: {},
          emailTemplates: {},
        },
      },
    });
    if (outcome.status === 'refused') throw new Failure(outcome.refusal.message, EXIT.refused);
    await core.caughtUp();
    print(
      { ok: true, tenant: given.slug, tenantId, currencies },
      given.json,
      `tenant ${given.slug} (${tenantId}) with ${currencies.join(', ')}`,
    );
  });
}

export async function createTokenCommand(given: {
  tenant: string;
  role: string[];
  name: string;
  customer?: string;
  expiry: string;
  json: boolean;
}): Promise<void> {
  const roles = given.role.map((role) => role.toUpperCase());
  const unknown = roles.filter((role) => !(ROLES as readonly string[]).includes(role));
  if (unknown.length > 0) throw new Failure(`unknown role ${unknown.join(', ')}`, EXIT.usage);
  if (!(given.expiry in TOKEN_LIVES))
    throw new Failure(`expiry is one of ${Object.keys(TOKEN_LIVES).join(', ')}`, EXIT.usage);
  if (given.customer !== undefined && !isUuid(given.customer)) throw new Failure('--customer is a UUID', EXIT.usage);
  if (roles.includes('CUSTOMER') && given.customer === undefined) {
    throw new Failure('a CUSTOMER token needs --customer', EXIT.usage);
  }
  await withCore(async (core) => {
    const tenantId = await requireTenant(core, given.tenant);
    const issued = await issueApiToken(
      {
        name: given.name,
        roles: roles as Role[],
        ...(given.customer === undefined ? {} : { customerId: given.customer }),
        ipAllowList: [],
        expiresAt: expiryOf(core.clock.nowMs(), given.expiry as TokenLife),
      },
      { tenantId, actor: COMMAND_LINE, correlationId: CORRELATION },
      core.tokens,
    );
    if (issued.status === 'refused') throw new Failure(issued.refusal.message, EXIT.refused);
    const { tokenId, expiresAt } = issued.stored;
    print(
      { ok: true, tenant: given.tenant, tokenId, roles, expiresAt, token: issued.token },
      given.json,
      issued.token ?? '',
    );
  });
}
