import type { UserReference } from '../../domain/access/user-events.js';
import { type Device, MAX_DEVICES } from '../ports/devices.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore, nowOf, unkeyed } from './as-user.js';
import type { Identity } from './identity.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';

/** A device as the app names it. */
export interface DeviceNamed {
  readonly deviceId: string;
  readonly platform: string;
  readonly name?: string | undefined;
  readonly pushToken?: string | undefined;
}

/** Whether the user has this device, or may have one more. */
export async function isDeviceRoom(
  { devices }: Pick<Identity, 'devices'>,
  tenantId: string,
  user: UserReference,
  deviceId: string,
): Promise<boolean> {
  const all = await devices.list(tenantId, user.id);
  return all.length < MAX_DEVICES || all.some((device) => device.deviceId === deviceId);
}

/** Binds a device; one that is bound is brought up to date, and its first binding alone is stated in the log. */
export async function registerDevice(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  named: DeviceNamed,
): Promise<{ readonly status: 'registered'; readonly device: Device; readonly done: Done } | AccessRefusal> {
  const { devices, bus } = identity;
  const { tenantId } = asked;
  const { deviceId, platform } = named;
  const before = await answeredBefore(identity, asked, user);
  if (before?.status === 'refused') return before;
  if (!(await isDeviceRoom(identity, tenantId, user, deviceId))) return { status: 'too-many-devices' };
  let done: Done = { status: 'done', replayed: false };
  if (before !== undefined) done = doneBy(before);
  else if ((await devices.get(tenantId, user.id, deviceId)) === undefined) {
    const facts = [{ type: 'device-registered', device: deviceId, platform }] as const;
    const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
    if (outcome.status === 'refused') return outcome;
    done = doneBy(outcome);
  }
  const device = deviceOf(identity, tenantId, user, named);
  if (!(await devices.put(device))) return { status: 'too-many-devices' };
  return { status: 'registered', device: (await devices.get(tenantId, user.id, deviceId)) ?? device, done };
}

/** As part of something else that the log states: a device that is not known yet is bound. */
export async function bindDevice(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  named: DeviceNamed,
): Promise<void> {
  const { devices } = identity;
  if ((await devices.get(asked.tenantId, user.id, named.deviceId)) !== undefined) return;
  await registerDevice(identity, unkeyed(asked), user, named);
}

function deviceOf(
  identity: Pick<Identity, 'clock'>,
  tenantId: string,
  user: UserReference,
  { deviceId, platform, name, pushToken }: DeviceNamed,
): Device {
  const now = nowOf(identity);
  return {
    ...{ tenantId, userId: user.id, deviceId, platform },
    ...{ name: name ?? platform, pushToken: pushToken ?? null, createdAt: now, lastSeenAt: now },
  };
}

/** Takes a device away, its log-in PIN with it, and ends the sessions that were opened there. */
export async function removeDevice(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  deviceId: string,
): Promise<Done | AccessRefusal> {
  const { devices, sessions, tokenVerifier, bus } = identity;
  const { tenantId } = asked;
  if ((await devices.get(tenantId, user.id, deviceId)) === undefined) {
    const before = await answeredBefore(identity, asked, user);
    if (before?.status === 'refused') return before;
    return before === undefined ? { status: 'not-there', what: 'device' } : doneBy(before);
  }
  const facts = [{ type: 'device-removed', device: deviceId }] as const;
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
  if (outcome.status === 'refused') return outcome;
  const ended = await sessions.revokeDevice(tenantId, user.id, deviceId, nowOf(identity));
  tokenVerifier.forgetUser(user.id);
  await devices.remove(tenantId, user.id, deviceId);
  if (ended > 0) {
    const signedOut = [{ type: 'signed-out', why: 'DEVICE_REMOVED' }] as const;
    await bus.execute({ ...unkeyed(asked), name: 'record-access', payload: { user, facts: signedOut } });
  }
  return doneBy(outcome);
}
