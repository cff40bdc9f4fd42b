import {
  type PreferenceQuery,
  type Preferences,
  type PreferenceSetting,
  resolvePreferences,
} from '../../domain/tenant/preferences.js';
import type { Clock } from '../ports/clock.js';
import { hasPassed } from '../elapsed.js';
import type { ReadModels } from '../ports/read-models.js';

interface Entry {
  readonly settings: readonly PreferenceSetting[];
  readonly loadedMs: number;
  refreshing: boolean;
  /** What holds for everybody on `day`: asked for with every call. */
  day: string;
  general: Preferences;
}

const DAY_MS = 86_400_000;
const MAX_REMEMBERED = 10_000;
/** A remembered answer is asked again behind the caller's back after this long … */
const REFRESH_AFTER_MS = 1_000;
/** … and not used any more after this long: a change in another process holds here within it. */
const TRUST_MS = 3_000;

/** Preferences of tenants from a small memory: what every request asks for costs a map look-up. */
export class PreferenceReader {
  readonly #entries = new Map<string, Entry>();
  readonly #readModels: Pick<ReadModels, 'tenantSettings'>;
  readonly #clock: Clock;
  #generation = 0;
  #dayNumber = Number.NaN;
  #day = '';

  constructor(readModels: Pick<ReadModels, 'tenantSettings'>, clock: Clock) {
    this.#readModels = readModels;
    this.#clock = clock;
  }

  /** Of the tenant, or as they hold for an agent's customers and a country. */
  of(tenantId: string, query?: Omit<PreferenceQuery, 'today'>): Preferences | Promise<Preferences> {
    const entry = this.#entries.get(tenantId);
    const now = this.#clock.nowMs();
    if (entry === undefined || hasPassed(TRUST_MS, entry.loadedMs, now)) {
      return this.#load(tenantId).then((loaded) => this.#resolve(loaded, query));
    }
    if (hasPassed(REFRESH_AFTER_MS, entry.loadedMs, now) && !entry.refreshing) {
      entry.refreshing = true;
      this.#load(tenantId).catch(() => {
        entry.refreshing = false;
      });
    }
    return this.#resolve(entry, query);
  }

  /** After a change in this process: it holds at once. */
  forget(tenantId: string): void {
    this.#generation += 1;
    this.#entries.delete(tenantId);
  }

  #resolve(entry: Entry, query: Omit<PreferenceQuery, 'today'> | undefined): Preferences {
    const today = this.#today();
    if (query !== undefined) return resolvePreferences(entry.settings, { ...query, today });
    if (entry.day !== today) {
      entry.day = today;
      entry.general = resolvePreferences(entry.settings, { agents: [], today });
    }
    return entry.general;
  }

  async #load(tenantId: string): Promise<Entry> {
    const generation = this.#generation;
    const loadedMs = this.#clock.nowMs();
    const { preferences } = await this.#readModels.tenantSettings(tenantId);
    const day = this.#today();
    const general = resolvePreferences(preferences, { agents: [], today: day });
    const entry = { settings: preferences, loadedMs, refreshing: false, day, general };
    if (generation === this.#generation) {
      if (this.#entries.size >= MAX_REMEMBERED) this.#entries.clear();
      this.#entries.set(tenantId, entry);
    }
    return entry;
  }

  #today(): string {
    // Asked for with every call, and made anew once a day.
    const dayNumber = Math.floor(this.#clock.nowMs() / DAY_MS);
    if (dayNumber !== this.#dayNumber) {
      this.#dayNumber = dayNumber;
      this.#day = new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
    }
    return this.#day;
  }
}
