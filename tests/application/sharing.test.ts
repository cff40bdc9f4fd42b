/** How a tenant's writer comes to an arrangement with those of other processes: its decisions, at given times. */
import t from 'tap';
import { NotHanded, type Relay, type Standing } from '../../application/ports/relay.js';
import type { Turns } from '../../application/ports/turns.js';
import { Sharing } from '../../application/processor/sharing.js';

const TENANT = 'a-tenant';

/** One process, as its sharing sees the world: the time, who leads, and what was asked of the ports. */
class Place {
  nowMs = 1_000_000;
  standing: Standing = { status: 'alone' };
  looks = 0;
  invitations = 0;
  ended = 0;
  turnsThereAre = true;

  readonly #relay: Relay = {
    stand: () => {
      this.looks += 1;
      return Promise.resolve(this.standing);
    },
    invite: (tenantId) => {
      this.invitations += tenantId === TENANT ? 1 : 0;
    },
  };
  readonly #turns: Turns = {
    take: () => Promise.resolve(this.turnsThereAre ? { news: [], end: () => undefined } : undefined),
  };
  readonly sharing = new Sharing(
    TENANT,
    { nowMs: () => this.nowMs, sleep: () => Promise.resolve(), turn: () => Promise.resolve() },
    { relay: this.#relay, turns: this.#turns },
  );

  leads(): void {
    this.standing = { status: 'leads', held: true, end: () => (this.ended += 1) };
  }

  follows(): void {
    this.standing = { status: 'follows', hand: () => Promise.reject(new NotHanded('nobody is there')) };
  }

  /** Two conflicts within a second. */
  meets(): void {
    this.sharing.conflict();
    this.nowMs += 10;
    this.sharing.conflict();
  }
}

t.test('one that meets nobody asks nobody', async (t) => {
  const place = new Place();
  t.equal(await place.sharing.leader(), undefined);
  place.sharing.conflict();
  place.nowMs += 1_500;
  place.sharing.conflict();
  t.equal(await place.sharing.leader(), undefined, 'two conflicts far apart are accidents');
  t.same([place.looks, place.invitations, place.sharing.isTurnDue], [0, 0, false]);
});

t.test('who meets conflicts invites, and one that is always first comes when it is invited', async (t) => {
  const second = new Place();
  second.leads();
  second.meets();
  t.equal(second.invitations, 1);
  t.equal(await second.sharing.leader(), undefined, 'it leads');
  for (let i = 0; i < 40; i += 1) {
    second.nowMs += 5;
    second.sharing.conflict();
  }
  t.equal(second.invitations, 1 + 2, 'again while there are conflicts, ten times a second at most');

  const first = new Place();
  first.follows();
  t.equal(await first.sharing.leader(), undefined, 'it met no conflict');
  first.sharing.invited();
  t.match(await first.sharing.leader(), { status: 'follows' });
  first.nowMs += 2_001;
  t.equal(await first.sharing.leader(), undefined, 'nobody was met any more');
});

t.test('a leader that is known is not looked for at each command, and looked at again every second', async (t) => {
  const place = new Place();
  place.follows();
  t.same([place.sharing.knownLeader(), place.sharing.mayHandOver], [undefined, false], 'the tenant is not shared');
  place.meets();
  t.same([place.sharing.knownLeader(), place.sharing.mayHandOver], [undefined, true], 'nobody has looked yet');
  const leader = await place.sharing.leader();
  t.match(leader, { status: 'follows' });
  place.nowMs += 999;
  t.same([place.sharing.knownLeader(), place.sharing.mayHandOver, place.looks], [leader, true, 1]);
  place.nowMs += 1;
  t.equal(place.sharing.knownLeader(), undefined, 'time to look');
  place.leads();
  await place.sharing.leader();
  t.same(
    [place.sharing.knownLeader(), place.sharing.mayHandOver, place.sharing.leads, place.looks],
    [undefined, false, true, 2],
  );
});

t.test('a leader takes turns for as long as others append beside it', async (t) => {
  const place = new Place();
  place.leads();
  place.meets();
  await place.sharing.leader();
  t.equal(place.sharing.isTurnDue, false, 'those before it led do not count');
  place.sharing.conflict();
  t.equal(place.sharing.isTurnDue, true);
  t.ok(await place.sharing.takeTurn(7));
  t.equal(place.sharing.isTurnDue, false, 'it has one');
  place.nowMs += 20;
  t.equal(place.sharing.isTurnOver, true);
  place.sharing.endTurn();
  place.nowMs += 400;
  place.sharing.metInTurn();
  place.nowMs += 400;
  t.equal(place.sharing.isTurnDue, true, 'others had theirs');
  place.nowMs += 200;
  t.equal(place.sharing.isTurnDue, false, 'and are gone');
  place.sharing.leave();
  t.equal(place.ended, 1);
});

t.test('a leader that does not take what it is handed is looked for once more, then turns are taken', async (t) => {
  const place = new Place();
  place.follows();
  place.meets();
  t.match(await place.sharing.leader(), { status: 'follows' });
  t.equal(place.sharing.isTurnDue, false, 'what is handed over needs no turn');
  place.sharing.lostLeader();
  t.match(await place.sharing.leader(), { status: 'follows' }, 'there may be another one');
  place.sharing.lostLeader();
  t.equal(await place.sharing.leader(), undefined);
  t.equal(place.looks, 2);
  t.equal(place.sharing.isTurnDue, true);
  place.turnsThereAre = false;
  t.equal(await place.sharing.takeTurn(7), undefined);
  t.equal(place.sharing.isTurnDue, false, 'none is to be had: on without');
  place.nowMs += 1_001;
  place.sharing.conflict();
  t.equal(place.sharing.isTurnDue, true);
  t.match(await place.sharing.leader(), { status: 'follows' }, 'it looks again after a second');
});
