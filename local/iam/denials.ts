import type { AccessRequest } from './policy.ts';

/** One refusal, as a person reads it. */
export interface Denial {
  /** ISO 8601, virtual time. */
  readonly time: string;
  /** Name of the role, or the service principal. */
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  readonly reason: string;
}

const KEPT = 1000;

/** The latest refusals, oldest first. */
export class Denials {
  #entries: Denial[] = [];

  record(request: AccessRequest, reason: string, now: number): void {
    const { caller, action, resource } = request;
    this.#entries.push({
      time: new Date(now).toISOString(),
      caller: caller.kind === 'role' ? caller.roleName : caller.principal,
      action,
      resource,
      reason,
    });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  read(): readonly Denial[] {
    return [...this.#entries];
  }
}
