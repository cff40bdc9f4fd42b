/**
 * Settings of every connection that may hold something others wait for. A peer that vanished without a word (power cut,
 * a firewall that forgot the connection) is found out by the server within a minute instead of the system's two hours,
 * and a transaction of which no more comes ends by itself: else its locks would hold up all appends, or a projection.
 */
export const SESSION_SETTINGS = [
  'idle_in_transaction_session_timeout=20s',
  'tcp_keepalives_idle=20',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=4',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');
