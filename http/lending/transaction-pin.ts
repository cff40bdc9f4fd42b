import { unkeyed } from '../../application/access/as-user.js';
import { proveTransactionPin } from '../../application/access/prove.js';
import { accessFailure } from '../auth/access-failure.js';
import { askedBy } from '../commands.js';
import type { Call } from '../endpoint.js';
import { type Failure, invalid } from '../problem.js';
import { ownPerson } from '../scope.js';
import { secretsOf } from '../secrets.js';

type WithPin = Call<unknown, unknown, { readonly transactionPin?: string | undefined }>;

/**
 * Whether the caller may move money by his transaction PIN (spec 9.18): it is asked for where TRANSACTION_PIN_REQUIRED is
 * on and he has one; one that is sent must be right, asked for or not, if he has one. Undefined: he may.
 */
export async function transactionPinFailure(call: WithPin): Promise<Failure | undefined> {
  const { identity } = call.services;
  const { tenantId } = call.caller;
  const user = ownPerson(call);
  if ((await identity.devices.pin(tenantId, user.id, '')) === undefined) return undefined;
  if (call.body.transactionPin === undefined) {
    const { TRANSACTION_PIN_REQUIRED: isRequired } = await identity.preferences.of(tenantId);
    return isRequired ? invalid('transactionPin', 'REQUIRED', 'the transaction PIN is required') : undefined;
  }
  const secrets = await secretsOf(call, ['transactionPin']);
  if ('kind' in secrets) return secrets;
  const refused = await proveTransactionPin(identity, unkeyed(askedBy(call)), user, secrets.transactionPin);
  return refused === undefined ? undefined : accessFailure(refused);
}
