import { Meter } from '../meter.ts';

/** Signed calls by who made them, so that a function's share of a bill can be told. */
export class CallCounts {
  #meters = new Map<string, Meter>();

  /** @param caller name of a role */
  count(caller: string, service: string, operation: string): void {
    let meter = this.#meters.get(caller);
    if (meter === undefined) this.#meters.set(caller, (meter = new Meter()));
    meter.count(service, operation);
  }

  /** `{ role: { service: { operation: count } } }` */
  read(): Record<string, ReturnType<Meter['read']>> {
    return Object.fromEntries([...this.#meters].map(([caller, meter]) => [caller, meter.read()]));
  }

  reset(): void {
    this.#meters.clear();
  }
}
