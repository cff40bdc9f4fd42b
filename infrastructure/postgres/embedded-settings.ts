/** Server settings of the embedded PostgreSQL: every commit durable, sized for the machine it runs on. */
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';

const MEGABYTE = 1024 * 1024;

/** `directory` is where the cluster lives: its free space bounds the write-ahead log. */
export async function serverSettings(directory: string): Promise<Record<string, string>> {
  const memoryMb = availableMemory() / MEGABYTE;
  const disk = await statfs(directory);
  const freeMb = (disk.bavail * disk.bsize) / MEGABYTE;
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Several processes share the server; a worker whose jobs are on it takes some forty.
    max_connections: '400',

    // A commit that was answered survives a power cut. None of these is a knob.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // The command processor groups commits itself; a server-side delay would only add latency.
    commit_delay: '0',

    // Rare checkpoints keep full-page images off the hot path; the price is a longer recovery after a crash.
    checkpoint_timeout: '30min',
    checkpoint_completion_target: '0.9',
    max_wal_size: `${between(1024, freeMb / 8, 8192)}MB`,
    wal_buffers: '32MB',
    // Measured: compressing page images (pglz, all that these binaries have) costs 6 µs an event, a quarter of an append.
    wal_compression: 'off',

    shared_buffers: `${between(32, memoryMb / 8, 1024)}MB`,
    effective_cache_size: `${between(128, memoryMb / 2, 65536)}MB`,
    maintenance_work_mem: `${between(32, memoryMb / 32, 256)}MB`,
    work_mem: '16MB',
    random_page_cost: '1.1',
    // Queries are short and prepared; compiling them costs more than it saves.
    jit: 'off',

    // Read models are updated constantly: clean them often and in small steps.
    autovacuum_max_workers: '2',
    autovacuum_naptime: '20s',
    autovacuum_vacuum_scale_factor: '0.05',
    autovacuum_analyze_scale_factor: '0.05',
    autovacuum_vacuum_cost_limit: '1000',

    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %u@%d ',
    log_checkpoints: 'off',
    // Failed statements and their details may hold personal data; the client gets them, the log file does not.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
}

/** Bytes this process may use: the container's limit when there is one. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function between(low: number, value: number, high: number): number {
  return Math.floor(Math.min(high, Math.max(low, value)));
}
