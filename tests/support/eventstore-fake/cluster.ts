/** Three fakes that share a store: one leads, the others send who needs the leader there. */
import { EventStoreFake, type FakeOptions } from './fake.js';
import type { Member } from './node.js';
import { FakeStore } from './store.js';

const NODES = 3;

export interface EventStoreFakeCluster {
  readonly nodes: readonly EventStoreFake[];
  readonly store: FakeStore;
  /** Names all nodes, so that the client asks one of them who leads. */
  readonly url: string;
  readonly leader: EventStoreFake;
  /** Nobody is elected by itself: a leader that stopped leaves the others not ready. */
  elect(node: EventStoreFake): void;
  stop(): Promise<void>;
}

export async function startEventStoreFakeCluster(
  options: Omit<FakeOptions, 'port'> = {},
): Promise<EventStoreFakeCluster> {
  const store = options.store ?? new FakeStore();
  const nodes = Array.from({ length: NODES }, () => new EventStoreFake({ ...options, store }));
  let leader = nodes[0] as EventStoreFake;
  const members = (): Member[] =>
    nodes.map((node) => ({
      ...{ endpoint: node.endpoint, instanceId: node.instanceId },
      ...{ isAlive: node.isRunning, isLeader: node === leader },
    }));
  for (const node of nodes) {
    node.join(members);
    await node.start();
  }
  const hosts = nodes.map(({ endpoint: { host, port } }) => `${host}:${port}`);
  return {
    ...{ nodes, store, url: `esdb://${hosts.join(',')}?tls=${options.tls !== undefined}` },
    get leader() {
      return leader;
    },
    elect: (node) => {
      leader = node;
    },
    stop: async () => {
      for (const node of nodes) await node.stop();
    },
  };
}
