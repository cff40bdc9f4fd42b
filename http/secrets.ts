import { type SecretReading, readSecret } from '../application/access/field-secrets.js';
import { keyOf } from '../application/idempotency.js';
import type { Call } from './endpoint.js';
import { headerText } from './headers.js';
import { type Failure, invalid } from './problem.js';

/**
 * The secrets of a request body in clear (platform.md 7.2): members by their names, each encrypted or, where the tenant
 * allows it, plain. `payloadEncrypted` of the body, if it is sent, says which; header `X-Encryption-Key-Id` may name the
 * key. A sealed secret (JWE) opens once; again only for a retry with the same idempotency key, where guessing is not
 * what the endpoint invites. The body is an object with these members as text: its schema has seen to that.
 */
export async function secretsOf<Name extends string>(
  call: Call,
  names: readonly Name[],
): Promise<Record<Name, string> | Failure> {
  const { body, caller, endpoint, headers, idempotencyKey, services } = call;
  const members = body as Readonly<Record<string, unknown>>;
  const { payloadEncrypted } = members;
  const encrypted = typeof payloadEncrypted === 'boolean' ? payloadEncrypted : undefined;
  const keyId = headerText(headers, 'x-encryption-key-id');
  const retried = idempotencyKey !== undefined && endpoint.tightLimit !== true;
  const use = retried ? `${caller.subject} ${keyOf(caller.tenantId, endpoint.id, idempotencyKey)}` : undefined;
  const secrets: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = members[name];
    if (typeof value !== 'string') return invalid(name, 'REQUIRED', `${name} is required`);
    const reading = await readSecret(services.identity, caller.tenantId, name, value, { encrypted, keyId, use });
    if (reading.status !== 'read') return unread(name, reading.status);
    secrets[name] = reading.secret;
    if (reading.key?.status === 'RETIRING') {
      const { kid, tenantId, retiresAt } = reading.key;
      services.logger.warn({ endpoint: endpoint.id, tenantId, kid, retiresAt }, 'a retiring key was used to encrypt');
    }
  }
  return secrets as Record<Name, string>;
}

function unread(name: string, status: Exclude<SecretReading['status'], 'read'>): Failure {
  return status === 'undecryptable'
    ? invalid(name, 'UNDECRYPTABLE', 'Unable to decrypt field')
    : invalid(name, 'ENCRYPTION_REQUIRED', 'This field must be encrypted with the public key of the tenant');
}
