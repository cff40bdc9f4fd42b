import type { UserReference } from '../../domain/access/user-events.js';
import type { Call, Caller } from '../endpoint.js';
import { RequestFailed, failure, invalid } from '../problem.js';
import { headerText } from '../headers.js';

/** A person with a session: what has a password, PINs and devices. An API token has none of these. */
export interface LoggedIn {
  readonly user: UserReference;
  readonly sessionId: string;
}

export function loggedIn({ user, sessionId }: Caller): LoggedIn {
  if (user === undefined || sessionId === undefined) {
    throw new RequestFailed(failure('FORBIDDEN', 'This is for people who logged in: an API token is nobody'));
  }
  return { user, sessionId };
}

export const MAX_DEVICE_ID = 128;
/** Visible ASCII. */
export const DEVICE_ID = /^[\x21-\x7e]{1,128}$/;

/** Which device this is: the body's `deviceId`, else the header `uuid`. */
export function deviceIdOf(call: Call, inBody: string | undefined): string | undefined {
  if (inBody !== undefined) return inBody;
  const header = headerText(call.headers, 'uuid');
  return header !== undefined && DEVICE_ID.test(header) ? header : undefined;
}

export function requiredDevice(call: Call, inBody: string | undefined): string {
  const device = deviceIdOf(call, inBody);
  if (device !== undefined) return device;
  throw new RequestFailed(invalid('deviceId', 'REQUIRED', 'name the device: deviceId, or header uuid'));
}

/** Header `platform`; any value passes, and where there is none the device is a web browser. */
export function platformOf(call: Call): string {
  const header = headerText(call.headers, 'platform');
  return header !== undefined && /^[\x21-\x7e]{1,32}$/.test(header) ? header : 'WEB';
}
