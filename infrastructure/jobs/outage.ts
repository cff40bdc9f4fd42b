/** What ioredis says when Redis is away; where jobs live in PostgreSQL, its own words are told apart elsewhere. */
const AWAY = /^(?:Connection is closed|Stream isn't writeable|Command timed out)/;

/** Whether a job could not be handed over because its home is away. */
export function isJobOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'MaxRetriesPerRequestError' || AWAY.test(error.message);
}
