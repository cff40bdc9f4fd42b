import type pg from 'pg';
import { type Device, type DeviceStore, MAX_DEVICES } from '../../application/ports/devices.js';
import { instant } from './instant.js';

const COLUMNS = `tenant_id, user_id, device_id, platform, name, push_token, ${instant('created_at')},
  ${instant('last_seen_at')}`;

interface Row {
  tenant_id: string;
  user_id: string;
  device_id: string;
  platform: string;
  name: string;
  push_token: string | null;
  created_at: string;
  last_seen_at: string;
}

/** `ledger.devices` and `ledger.pins`, as role corebook_core. */
export class PostgresDeviceStore implements DeviceStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async put(device: Device): Promise<boolean> {
    // Two at once may end with one device too many: the limit is there against thousands.
    const { rowCount } = await this.#pool.query(
      `insert into ledger.devices (tenant_id, user_id, device_id, platform, name, push_token, created_at, last_seen_at)
       select $1, $2, $3, $4, $5, $6, $7, $8
        where (select count(*) from ledger.devices where tenant_id = $1 and user_id = $2 and device_id <> $3) < $9
       on conflict on constraint devices_pkey do update
         set platform = excluded.platform, name = excluded.name,
             push_token = coalesce(excluded.push_token, devices.push_token), last_seen_at = excluded.last_seen_at`,
      [
        device.tenantId,
        device.userId,
        device.deviceId,
        device.platform,
        device.name,
        device.pushToken,
        device.createdAt,
        device.lastSeenAt,
        MAX_DEVICES,
      ],
    );
    return rowCount === 1;
  }

  async list(tenantId: string, userId: string): Promise<readonly Device[]> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.devices where tenant_id = $1 and user_id = $2
        order by devices.created_at, device_id collate "C" limit ${2 * MAX_DEVICES}`,
      [tenantId, userId],
    );
    return rows.map(deviceOf);
  }

  async get(tenantId: string, userId: string, deviceId: string): Promise<Device | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.devices where tenant_id = $1 and user_id = $2 and device_id = $3`,
      [tenantId, userId, deviceId],
    );
    return rows[0] === undefined ? undefined : deviceOf(rows[0]);
  }

  async remove(tenantId: string, userId: string, deviceId: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `with pin as (
         delete from ledger.pins where tenant_id = $1 and user_id = $2 and device_id = $3 and device_id <> '')
       delete from ledger.devices where tenant_id = $1 and user_id = $2 and device_id = $3`,
      [tenantId, userId, deviceId],
    );
    return rowCount === 1;
  }

  async setPin(tenantId: string, userId: string, deviceId: string, hash: string, setAt: string): Promise<void> {
    await this.#pool.query(
      `insert into ledger.pins (tenant_id, user_id, device_id, hash, set_at) values ($1, $2, $3, $4, $5)
         on conflict on constraint pins_pkey do update set hash = excluded.hash, set_at = excluded.set_at`,
      [tenantId, userId, deviceId, hash, setAt],
    );
  }

  async pin(tenantId: string, userId: string, deviceId: string): Promise<string | undefined> {
    const { rows } = await this.#pool.query<{ hash: string }>(
      `select hash from ledger.pins where tenant_id = $1 and user_id = $2 and device_id = $3`,
      [tenantId, userId, deviceId],
    );
    return rows[0]?.hash;
  }

  async deleteAllOf(tenantId: string, userId: string): Promise<void> {
    await this.#pool.query(
      `with pins as (delete from ledger.pins where tenant_id = $1 and user_id = $2)
       delete from ledger.devices where tenant_id = $1 and user_id = $2`,
      [tenantId, userId],
    );
  }
}

function deviceOf(row: Row): Device {
  return {
    tenantId: row.tenant_id,
    userId: row.user_id,
    deviceId: row.device_id,
    platform: row.platform,
    name: row.name,
    pushToken: row.push_token,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
  };
}
