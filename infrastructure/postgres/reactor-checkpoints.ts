import type pg from 'pg';
import type { ReactorCheckpoints } from '../../application/ports/reactor-checkpoints.js';

/** Checkpoints in `ledger.reactor_checkpoints`, as role corebook_core. */
export class PostgresReactorCheckpoints implements ReactorCheckpoints {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async load(reactor: string): Promise<string> {
    const { rows } = await this.#pool.query<{ position: string }>(
      'select position from ledger.reactor_checkpoints where name = $1',
      [reactor],
    );
    return rows[0]?.position ?? '';
  }

  async advance(reactor: string, from: string, to: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      from === ''
        ? `insert into ledger.reactor_checkpoints (name, position) values ($1, $3)
             on conflict (name) do update set position = $3, updated_at = now()
             where reactor_checkpoints.position = $2`
        : 'update ledger.reactor_checkpoints set position = $3, updated_at = now() where name = $1 and position = $2',
      [reactor, from, to],
    );
    return rowCount === 1;
  }
}
