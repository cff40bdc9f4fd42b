import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Command, Outcome } from '../../application/commands.js';
import type { Relay, Standing } from '../../application/ports/relay.js';
import type { PostgresLeases } from '../postgres/leases.js';
import { type Credentials, RelayChannel, createRelayServer } from './channel.js';

const CHANNEL = 'corebook_writers';

/**
 * Leaders by leases of PostgreSQL, commands from process to process over TLS with a key that only this installation has. A
 * process listens from its first `stand` on, at the address from which PostgreSQL sees it: that is where the others look
 * for it. Processes that meet nobody open no port.
 */
export class LeasedRelay implements Relay {
  readonly #channels = new Map<string, RelayChannel>();
  #listening: Promise<Server> | undefined;
  readonly #closing = new AbortController();

  constructor(
    private readonly options: {
      readonly leases: PostgresLeases;
      readonly credentials: Credentials;
      /** Carries out what others have handed over; `NotHanded` when it does not. */
      readonly execute: (command: Command) => Promise<Outcome>;
      /** Another process meets conflicts on this tenant. */
      readonly invited: (tenantId: string) => void;
    },
  ) {
    options.leases.listen(CHANNEL, options.invited);
  }

  invite(tenantId: string): void {
    this.options.leases.tell(CHANNEL, tenantId);
  }

  async stand(tenantId: string): Promise<Standing> {
    if (this.#closing.signal.aborted) return { status: 'alone' };
    try {
      // Before it leads: who leads must be heard.
      await (this.#listening ??= this.#listen());
      const { leases } = this.options;
      const claim = await leases.claim(`writer of ${tenantId}`);
      if (claim.lease !== undefined) {
        const { lease } = claim;
        return {
          status: 'leads',
          get held() {
            return lease.held;
          },
          end: () => void lease.leave(),
        };
      }
      const { holder } = claim;
      if (holder?.host === undefined || holder.port === undefined) return { status: 'alone' };
      const channel = this.#channelTo({ host: holder.host, port: holder.port });
      if (channel === undefined) return { status: 'alone' };
      return { status: 'follows', hand: (command) => channel.hand(command) };
    } catch {
      return { status: 'alone' };
    }
  }

  async close(): Promise<void> {
    for (const channel of this.#channels.values()) channel.close();
    await this.#listening?.catch(() => undefined);
    this.#closing.abort();
  }

  async #listen(): Promise<Server> {
    const { leases, credentials, execute } = this.options;
    try {
      const server = createRelayServer(credentials, execute, this.#closing.signal);
      server.unref();
      server.listen(0, await leases.localAddress());
      await once(server, 'listening');
      await leases.announce((server.address() as AddressInfo).port);
      return server;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /** Undefined: there was no way to it just now. */
  #channelTo(address: { readonly host: string; readonly port: number }): RelayChannel | undefined {
    for (const [other, { isOpen, isShut }] of this.#channels) if (!isOpen && !isShut) this.#channels.delete(other);
    const name = `${address.host} ${address.port}`;
    const known = this.#channels.get(name);
    if (known !== undefined) return known.isOpen ? known : undefined;
    const channel = new RelayChannel(address, this.options.credentials);
    this.#channels.set(name, channel);
    return channel;
  }
}
