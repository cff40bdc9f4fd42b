/** Devices that a user has bound, and his PINs (hashed). A login PIN works on its device only. Adapters: postgres, memory. */
export interface Device {
  readonly tenantId: string;
  readonly userId: string;
  /** As the app sends it (`uuid` or `deviceId`). */
  readonly deviceId: string;
  readonly platform: string;
  readonly name: string;
  readonly pushToken: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
}

export interface DeviceStore {
  /** Adds or updates; false when the user has `MAX_DEVICES` others. */
  put(device: Device): Promise<boolean>;
  list(tenantId: string, userId: string): Promise<readonly Device[]>;
  get(tenantId: string, userId: string, deviceId: string): Promise<Device | undefined>;
  /** Its login PIN goes too. False when there was none. */
  remove(tenantId: string, userId: string, deviceId: string): Promise<boolean>;
  /** `deviceId` for the login PIN; '' for the transaction PIN. */
  setPin(tenantId: string, userId: string, deviceId: string, hash: string, setAt: string): Promise<void>;
  pin(tenantId: string, userId: string, deviceId: string): Promise<string | undefined>;
  deleteAllOf(tenantId: string, userId: string): Promise<void>;
}

export const MAX_DEVICES = 20;
