/** What servers of which version can do. */
function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

export const hasBatchAppend = (version: string): boolean => isAtLeast(version, 21, 10);

export const tellsCaughtUp = (version: string): boolean => isAtLeast(version, 23, 10);
