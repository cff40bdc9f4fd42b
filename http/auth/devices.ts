import { z } from 'zod';
import { registerDevice, removeDevice } from '../../application/access/device-bindings.js';
import type { Device } from '../../application/ports/devices.js';
import { askedBy, askedAboutPerson } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { accessFailure, doneAnswer, shown } from './access-failure.js';
import { SECRETS } from './examples.js';
import { loggedIn } from './logged-in.js';
import { deviceId, nothing } from './schemas.js';

const PATH = '/api/v6/services/usermanagement/devices';
const USERS = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'] as const;

const deviceShape = z
  .object({
    deviceId: z.string(),
    platform: z.string(),
    name: z.string(),
    hasPushToken: z.boolean(),
    createdAt: z.string(),
    lastSeenAt: z.string(),
  })
  .meta({ id: 'Device' });

const DEVICE_EXAMPLE = {
  deviceId: SECRETS.deviceId,
  platform: 'IOS',
  name: 'Ada’s phone',
  hasPushToken: false,
  createdAt: EXAMPLE.at,
  lastSeenAt: EXAMPLE.at,
};

function deviceOut({ deviceId: id, platform, name, pushToken, createdAt, lastSeenAt }: Device) {
  return { deviceId: id, platform, name, hasPushToken: pushToken !== null, createdAt, lastSeenAt };
}

export const listDevices = defineEndpoint({
  id: 'list-devices',
  group: 'auth',
  title: 'List own devices',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: USERS,
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { own: {} },
  success: {
    status: 200,
    description: 'The devices of the user, oldest first',
    data: z.array(deviceShape),
    example: [DEVICE_EXAMPLE],
  },
  errors: [],
  async handler(call) {
    const { user } = loggedIn(call.caller);
    const devices = await call.services.identity.devices.list(call.caller.tenantId, user.id);
    return { kind: 'answer', message: 'Devices', data: devices.map(deviceOut) };
  },
});

export const registerOwnDevice = defineEndpoint({
  id: 'register-device',
  group: 'auth',
  title: 'Register a device',
  description: 'One that is registered already is brought up to date.',
  method: 'POST',
  path: PATH,
  aliases: [],
  roles: USERS,
  secretMembers: ['pushToken'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    deviceId,
    platform: z.string().min(1).max(32),
    name: z.string().min(1).max(64).optional(),
    pushToken: z.string().min(1).max(4_096).optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: { phone: { body: { deviceId: SECRETS.deviceId, platform: 'IOS', name: 'Ada’s phone' } } },
  success: { status: 201, description: 'The device', data: deviceShape, example: DEVICE_EXAMPLE },
  errors: ['LIMIT_EXCEEDED'],
  async handler(call) {
    const { user } = loggedIn(call.caller);
    const result = await registerDevice(call.services.identity, askedAboutPerson(call), user, call.body);
    if (result.status !== 'registered') return accessFailure(result);
    return shown(call, result.done, 'Device registered', deviceOut(result.device));
  },
});

export const removeOwnDevice = defineEndpoint({
  id: 'remove-device',
  group: 'auth',
  title: 'Remove a device',
  description: 'Its log-in PIN is forgotten and what is logged in there is logged out.',
  method: 'DELETE',
  path: `${PATH}/{deviceId}`,
  aliases: [],
  roles: USERS,
  kind: 'command',
  movesMoney: false,
  params: z.object({ deviceId }),
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { deviceId: SECRETS.deviceId } } },
  success: { status: 200, description: 'Device removed', data: nothing, example: {} },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { user } = loggedIn(call.caller);
    const done = await removeDevice(call.services.identity, askedBy(call), user, call.params.deviceId);
    return doneAnswer(call, done, 'Device removed');
  },
});
