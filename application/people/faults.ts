/** What is wrong with one member of a request, in the words of the error list (platform.md 1.1). */
export interface Fault {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

export interface Faulty {
  readonly status: 'faulty';
  readonly faults: readonly Fault[];
}

export function fault(field: string, code: string, message: string): Fault {
  return { field, code, message };
}

export function faulty(...faults: readonly Fault[]): Faulty {
  return { status: 'faulty', faults };
}
