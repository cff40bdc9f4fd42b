/**
 * Every version of every event type that was ever written, byte for byte as it was stored: each must still be read,
 * checked, lifted to its newest version, folded to the same states and verified by its hash. Files are never changed, but for `states`;
 * a new version gets a new file (`<type>.v<version>.json`).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { ZodObject } from 'zod';
import { readEvent } from '../../application/processor/read-event.js';
import { isChained } from '../../application/processor/seal.js';
import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import { EVENT_TYPES, UnknownEvent, checkEvent, upcast } from '../../domain/event-types.js';
import type { Json, Tag } from '../../domain/shared/event.js';
import { repositoryRoot } from '../support/repository.js';

interface Golden {
  readonly tenantId: string;
  readonly revision: number;
  readonly previousHash: string;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly recordedAt: string;
  readonly effectiveAt: string;
  readonly tags: readonly Tag[];
  readonly metaText: string;
  readonly dataText: string;
  readonly hash: string;
  /** What the event, newest version, makes of each of its aggregates from nothing. */
  readonly states: Readonly<Record<string, Json>>;
}

const folder = join(repositoryRoot, 'tests/golden');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

test('every type and version has its file, and no file is without', (t) => {
  const wanted = Object.entries(EVENT_TYPES).flatMap(([type, { schemas }]) => schemas.map((_, i) => `${type}.v${i + 1}.json`));
  t.same(files.sort(), wanted.sort());
  for (const [type, { schemas, upcasters }] of Object.entries(EVENT_TYPES)) {
    t.equal(upcasters.length, schemas.length - 1, `${type}: a step from each version to the next`);
  }
  t.end();
});

for (const file of files) {
  test(file, (t) => {
    const { previousHash, states, ...golden } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden;
    const data = JSON.parse(golden.dataText) as object;
    t.equal(file, `${golden.type}.v${golden.version}.json`);
    t.equal(JSON.stringify(data), golden.dataText, 'the text is what we would write');
    t.equal(checkEvent({ ...golden, data }), undefined, 'passes the schema of its version');
    const schema = EVENT_TYPES[golden.type]?.schemas[golden.version - 1] as ZodObject;
    t.same(Object.keys(schema.shape).filter((name) => !(name in data)), [], 'shows every member that it may have');
    t.match(checkEvent({ ...golden, data: { ...data, unheardOf: 1 } }), /unheardOf|Unrecognized/i, 'and no other');

    const event = readEvent({ ...golden, position: '1', keyId: undefined });
    t.equal(event.version, EVENT_TYPES[golden.type]?.schemas.length, 'is lifted to the newest version');
    t.equal(event.storedVersion, golden.version);
    t.equal(checkEvent(event), undefined, 'and passes its schema');
    t.ok(isChained(previousHash, event), 'its hash verifies');
    t.notOk(isChained(previousHash.replace(/^0/, '1'), event));

    const folded = golden.tags.flatMap((tag) => {
      const found = aggregateOf(tag);
      if (found === undefined) return [];
      const state = evolveTag(tag, found.aggregate.initial(found.id), event);
      t.strictSame(found.aggregate.fromJson(JSON.parse(JSON.stringify(found.aggregate.toJson(state))) as Json), state, `${tag} survives storage`);
      return [[tag, found.aggregate.toJson(state)] as const];
    });
    t.strictSame(Object.fromEntries(folded), states, 'makes the same states');
    t.end();
  });
}

test('what this code does not know is not skipped', (t) => {
  const event = { id: 'x', type: 'account-opened', version: 1, data: {}, tags: [] };
  t.throws(() => upcast({ ...event, type: 'account-painted' }), UnknownEvent);
  for (const version of [0, -1, 99]) t.throws(() => upcast({ ...event, version }), UnknownEvent);
  t.match(checkEvent({ ...event, type: 'account-painted' }), /unknown/);
  t.end();
});
