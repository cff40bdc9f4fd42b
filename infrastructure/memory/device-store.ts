import { type Device, type DeviceStore, MAX_DEVICES } from '../../application/ports/devices.js';

/** Devices and PINs in memory, for tests. */
export class MemoryDeviceStore implements DeviceStore {
  #devices: Device[] = [];
  readonly #pins = new Map<string, string>();

  put(device: Device): Promise<boolean> {
    const { tenantId, userId, deviceId } = device;
    const known = this.#find(tenantId, userId, deviceId);
    const others = this.#of(tenantId, userId).filter((one) => one !== known);
    if (others.length >= MAX_DEVICES) return Promise.resolve(false);
    this.#devices = this.#devices.filter((one) => one !== known);
    this.#devices.push(
      known === undefined
        ? device
        : { ...device, createdAt: known.createdAt, pushToken: device.pushToken ?? known.pushToken },
    );
    return Promise.resolve(true);
  }

  list(tenantId: string, userId: string): Promise<readonly Device[]> {
    const key = (one: Device): string => `${one.createdAt} ${one.deviceId}`;
    return Promise.resolve(this.#of(tenantId, userId).sort((a, b) => (key(a) < key(b) ? -1 : 1)));
  }

  get(tenantId: string, userId: string, deviceId: string): Promise<Device | undefined> {
    return Promise.resolve(this.#find(tenantId, userId, deviceId));
  }

  remove(tenantId: string, userId: string, deviceId: string): Promise<boolean> {
    const known = this.#find(tenantId, userId, deviceId);
    this.#devices = this.#devices.filter((one) => one !== known);
    if (deviceId !== '') this.#pins.delete(`${tenantId} ${userId} ${deviceId}`);
    return Promise.resolve(known !== undefined);
  }

  setPin(tenantId: string, userId: string, deviceId: string, hash: string, _setAt: string): Promise<void> {
    this.#pins.set(`${tenantId} ${userId} ${deviceId}`, hash);
    return Promise.resolve();
  }

  pin(tenantId: string, userId: string, deviceId: string): Promise<string | undefined> {
    return Promise.resolve(this.#pins.get(`${tenantId} ${userId} ${deviceId}`));
  }

  deleteAllOf(tenantId: string, userId: string): Promise<void> {
    this.#devices = this.#devices.filter((one) => one.tenantId !== tenantId || one.userId !== userId);
    for (const key of this.#pins.keys()) if (key.startsWith(`${tenantId} ${userId} `)) this.#pins.delete(key);
    return Promise.resolve();
  }

  #of(tenantId: string, userId: string): Device[] {
    return this.#devices.filter((one) => one.tenantId === tenantId && one.userId === userId);
  }

  #find(tenantId: string, userId: string, deviceId: string): Device | undefined {
    return this.#of(tenantId, userId).find((one) => one.deviceId === deviceId);
  }
}
